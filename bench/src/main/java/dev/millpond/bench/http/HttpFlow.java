package dev.millpond.bench.http;

import dev.millpond.bench.http.HttpShape.Form;
import dev.millpond.bench.scenario.Bare;
import dev.millpond.bench.scenario.Ceiling;
import dev.millpond.bench.scenario.Extent;
import dev.millpond.bench.scenario.Measured;
import dev.millpond.bench.scenario.Mode;
import dev.millpond.bench.scenario.RawCeiling.Part;
import dev.millpond.bench.scenario.Result;
import dev.millpond.bench.scenario.Scenario;
import dev.millpond.bench.scenario.Stage;
import dev.millpond.bench.servers.Pause;
import dev.millpond.bench.servers.Reading;
import dev.millpond.bench.servers.Usage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/**
 * Connections at full speed to a server of its own. Submits alone go to the role api, without keys
 * or by one that each request names: one job per request is compared with the {@link
 * EmptyEndpoint}, lists with the bare inserts. End to end, the server has all roles, what counts is
 * what it has completed, and the load holds back at {@link #OPEN_MOST} open jobs.
 */
public record HttpFlow(String name, String label, HttpShape shape, Serves serves)
    implements Scenario {
  /** What its server does. */
  enum Serves {
    SUBMITS,
    SUBMITS_BY_KEY,
    ALL
  }

  private static final int IN_FLIGHT = 4;

  /** As the producers of the other packages: a steady state, and not a growing backlog. */
  private static final int OPEN_MOST = 20_000;

  /** The scenarios of this package, in the order they run. */
  public static List<Scenario> scenarios() {
    return List.of(
        submits("64 connections", new HttpShape(Form.ONE, 1, 64)),
        submits("256 connections", new HttpShape(Form.ONE, 1, 256)),
        submits("lists of 100", new HttpShape(Form.LIST, 100, 2 * IN_FLIGHT)),
        submits("lists of 1000", new HttpShape(Form.LIST, 1_000, IN_FLIGHT)),
        submits("NDJSON of 1000", new HttpShape(Form.LINES, 1_000, IN_FLIGHT)),
        byKey("64 connections", new HttpShape(Form.ONE, 1, 64)),
        byKey("lists of 1000", new HttpShape(Form.LIST, 1_000, IN_FLIGHT)),
        works("64 connections", new HttpShape(Form.ONE, 1, 64)),
        works("256 connections", new HttpShape(Form.ONE, 1, 256)),
        works("lists of 1000", new HttpShape(Form.LIST, 1_000, IN_FLIGHT)),
        new Idle());
  }

  private static HttpFlow submits(String label, HttpShape shape) {
    return new HttpFlow("http", label, shape, Serves.SUBMITS);
  }

  private static HttpFlow byKey(String label, HttpShape shape) {
    return new HttpFlow("http-key", label, shape, Serves.SUBMITS_BY_KEY);
  }

  private static HttpFlow works(String label, HttpShape shape) {
    return new HttpFlow("http-all", label, shape, Serves.ALL);
  }

  private boolean works() {
    return serves == Serves.ALL;
  }

  private HttpBed bed(Stage stage) throws SQLException, IOException, InterruptedException {
    return switch (serves) {
      case SUBMITS -> HttpBed.submits(stage);
      case SUBMITS_BY_KEY -> HttpBed.submitsByKey(stage);
      case ALL -> HttpBed.works(stage);
    };
  }

  @Override
  public Extent extent() {
    return serves == Serves.SUBMITS && shape.jobs() == 1_000 && shape.form() == Form.LIST
        ? Extent.QUICK
        : Extent.USUAL;
  }

  /** Submits do not depend on how batches reach the workers. */
  @Override
  public Set<Mode> modes() {
    return works() ? EnumSet.allOf(Mode.class) : EnumSet.of(Mode.POSTGRES);
  }

  @Override
  public Result run(Stage stage) throws SQLException, InterruptedException, IOException {
    Ceiling ceiling = ceiling(stage);
    try (HttpBed bed = bed(stage);
        HttpLoad load = new HttpLoad(bed.url(), shape, bed.headers())) {
      if (works()) {
        load.holdBack(bed::completed, OPEN_MOST);
      }
      load.start();
      SteadyWarmUp.await(() -> done(bed, load), stage.budget().warmMillis());
      load.micros().reset();
      Reading before = bed.meter().read();
      long jobsBefore = done(bed, load);
      Pause.until(before.nanos() + stage.budget().millis() * 1_000_000);
      Usage usage = bed.meter().read().since(before);
      long jobs = done(bed, load) - jobsBefore; // where it began to count: after a reading
      Histogram micros = load.micros().copy();
      load.stop();
      return stage.result(
          this, new Measured(jobs, usage, micros, ceiling), bed.finish(load.acknowledged()));
    }
  }

  private long done(HttpBed bed, HttpLoad load) {
    return works() ? bed.completed() : load.acknowledged();
  }

  @Override
  public @Nullable Bare bare() {
    if (shape.form() == Form.ONE) {
      return works() ? Bare.callers(Part.INSERT_AND_COMPLETE) : null;
    }
    return Bare.lists(works() ? Part.INSERT_AND_COMPLETE : Part.INSERT);
  }

  private @Nullable Ceiling ceiling(Stage stage) throws IOException, InterruptedException {
    return bare() == null ? emptyEndpoint(stage) : stage.ceiling(this);
  }

  /** The rate of the empty endpoint under the same load, for the same time. */
  private Ceiling emptyEndpoint(Stage stage) throws IOException, InterruptedException {
    Path directory = Files.createTempDirectory("millpond-bench-empty-");
    Path runFile = directory.resolve("run.json");
    try (JavaProcess endpoint =
            JavaProcess.start(
                EmptyEndpoint.class, new String[] {runFile.toString()}, directory, runFile);
        HttpLoad load = new HttpLoad(endpoint.url(), shape, "")) {
      load.start();
      SteadyWarmUp.await(load::acknowledged, stage.budget().warmMillis());
      long before = System.nanoTime();
      long requestsBefore = load.acknowledged();
      Pause.until(before + stage.budget().millis() * 1_000_000);
      double seconds = (System.nanoTime() - before) / 1e9;
      long requests = load.acknowledged() - requestsBefore;
      load.stop();
      String name = "empty Spring Boot endpoint, " + shape.connections() + " connections";
      Ceiling ceiling = new Ceiling(name, requests / seconds, null);
      stage.progress().accept("%s: %.0f requests/s".formatted(name, ceiling.jobsPerSecond()));
      return ceiling;
    } finally {
      Temporary.delete(directory);
    }
  }
}
