package dev.millpond.bench.http;

import dev.millpond.bench.http.HttpShape.Form;
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
 * Connections at full speed to a server of its own. One job per request is compared with the {@link
 * EmptyEndpoint}, lists with the bare inserts.
 */
public record HttpFlow(String name, String label, HttpShape shape) implements Scenario {
  /**
   * Both servers have just started, and have all of it yet to compile: so much longer than others.
   */
  private static final int WARM_TIMES = 7;

  private static final int IN_FLIGHT = 4;

  /** The scenarios of this package, in the order they run. */
  public static List<Scenario> scenarios() {
    return List.of(
        flow("64 connections", Form.ONE, 1, 64),
        flow("256 connections", Form.ONE, 1, 256),
        flow("lists of 100", Form.LIST, 100, 2 * IN_FLIGHT),
        flow("lists of 1000", Form.LIST, 1_000, IN_FLIGHT),
        flow("NDJSON of 1000", Form.LINES, 1_000, IN_FLIGHT));
  }

  private static HttpFlow flow(String label, Form form, int jobs, int connections) {
    return new HttpFlow("http", label, new HttpShape(form, jobs, connections));
  }

  @Override
  public Extent extent() {
    return shape.jobs() == 1_000 && shape.form() == Form.LIST ? Extent.QUICK : Extent.USUAL;
  }

  /** Submits do not depend on how batches reach the workers. */
  @Override
  public Set<Mode> modes() {
    return EnumSet.of(Mode.POSTGRES);
  }

  @Override
  public Result run(Stage stage) throws SQLException, InterruptedException, IOException {
    Ceiling ceiling = ceiling(stage);
    try (HttpBed bed = HttpBed.open(stage);
        HttpLoad load = new HttpLoad(bed.url(), shape)) {
      load.start();
      Pause.millis(WARM_TIMES * stage.budget().warmMillis());
      load.micros().reset();
      Reading before = bed.meter().read();
      long jobsBefore = load.acknowledged();
      Pause.until(before.nanos() + stage.budget().millis() * 1_000_000);
      Usage usage = bed.meter().read().since(before);
      long jobs = load.acknowledged() - jobsBefore;
      Histogram micros = load.micros().copy();
      load.stop();
      return stage.result(
          this, new Measured(jobs, usage, micros, ceiling), bed.finish(load.acknowledged()));
    }
  }

  private @Nullable Ceiling ceiling(Stage stage) throws IOException, InterruptedException {
    return shape.form() == Form.ONE
        ? emptyEndpoint(stage)
        : stage.ceiling(Part.INSERT, Stage.LARGE_FLUSH);
  }

  /** The rate of the empty endpoint under the same load, for the same time. */
  private Ceiling emptyEndpoint(Stage stage) throws IOException, InterruptedException {
    Path directory = Files.createTempDirectory("millpond-bench-empty-");
    Path runFile = directory.resolve("run.json");
    try (JavaProcess endpoint =
            JavaProcess.start(
                EmptyEndpoint.class, new String[] {runFile.toString()}, directory, runFile);
        HttpLoad load = new HttpLoad(endpoint.url(), shape)) {
      load.start();
      Pause.millis(WARM_TIMES * stage.budget().warmMillis());
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
