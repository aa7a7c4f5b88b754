package dev.millpond.bench;

import dev.millpond.bench.Bed.Finish;
import dev.millpond.bench.Load.Shape;
import dev.millpond.bench.RawCeiling.Part;
import dev.millpond.bench.Scenario.Budget;
import dev.millpond.bench.Scenario.Ceiling;
import dev.millpond.bench.Scenario.Measured;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A run over scenarios and modes on given servers: ceilings, warm-up, then one after the other. */
final class Bench {
  private final Servers servers;
  private final Plan plan;
  private final PrintWriter progress;

  /**
   * What to do.
   *
   * @param scenarios in order
   * @param warmUpMillis of the whole program, once a mode, before its first measurement
   * @param budget of each measurement
   */
  record Plan(List<Mode> modes, List<Scenario> scenarios, long warmUpMillis, Budget budget) {}

  /**
   * Everything that came out.
   *
   * @param notes of machine, servers and settings
   * @param ceilings figures of the bare statements
   */
  record Outcome(
      List<String> notes, Map<String, RawCeiling.Figure> ceilings, List<Result> results) {
    boolean valid() {
      return results.stream().allMatch(result -> result.problems().isEmpty());
    }
  }

  /**
   * @param progress told of each step
   */
  Bench(Servers servers, Plan plan, PrintWriter progress) {
    this.servers = servers;
    this.plan = plan;
    this.progress = progress;
  }

  Outcome run() throws SQLException, InterruptedException, IOException {
    try (Database database = Database.create(servers.pgUrl())) {
      String redisUrl = servers.redisUrl();
      if (redisUrl == null) {
        return run(database, null);
      }
      try (RedisLine redis = new RedisLine(redisUrl)) {
        return run(database, redis);
      }
    }
  }

  private Outcome run(Database database, @Nullable RedisLine redis)
      throws SQLException, InterruptedException, IOException {
    List<String> notes = notes(database, redis);
    notes.forEach(this::say);
    Map<Ceiling, RawCeiling.Figure> ceilings = ceilings(database);
    List<Result> results = new ArrayList<>();
    say(Result.header());
    for (Mode mode : plan.modes()) {
      warmUp(mode, database, redis);
      for (Scenario scenario : plan.scenarios()) {
        Ceiling ceiling = scenario.ceiling();
        try (Bed bed = Bed.open(mode, database, servers.redisUrl(), redis)) {
          Measured measured = scenario.run(bed, plan.budget());
          Finish finish = bed.finish();
          Result result =
              Result.of(
                  scenario,
                  mode,
                  measured,
                  finish,
                  database.countsStatements(),
                  rate(ceilings, ceiling));
          results.add(result);
          say(result.line());
          result.problems().forEach(problem -> say("  " + problem));
        }
      }
    }
    Map<String, RawCeiling.Figure> named = new LinkedHashMap<>();
    ceilings.forEach((ceiling, figure) -> named.put(name(ceiling), figure));
    return new Outcome(notes, named, results);
  }

  private void say(String line) {
    progress.println(line);
    progress.flush();
  }

  private List<String> notes(Database database, @Nullable RedisLine redis)
      throws SQLException, IOException {
    List<String> notes = new ArrayList<>(servers.notes());
    notes.add(
        String.format(
            Locale.ROOT,
            "%d processors, Java %s, PostgreSQL %s%s",
            Runtime.getRuntime().availableProcessors(),
            Runtime.version(),
            database.version(),
            redis == null
                ? ""
                : ", Redis " + redis.info("server").getOrDefault("redis_version", "?")));
    notes.add(database.settings());
    Path directory = servers.directory();
    if (directory != null) {
      notes.add(DiskProbe.measure(directory, Math.clamp(plan.budget().millis(), 500, 5_000)));
    }
    if (!database.countsStatements()) {
      notes.add("no pg_stat_statements: SQL statements are not counted, commits are");
    }
    return notes;
  }

  private Map<Ceiling, RawCeiling.Figure> ceilings(Database database) throws SQLException {
    RawCeiling raw =
        new RawCeiling("{\"at\":1234567890123456,\"text\":\"" + "x".repeat(175) + "\"}");
    Map<Ceiling, RawCeiling.Figure> ceilings = new LinkedHashMap<>();
    for (Part part : Part.values()) {
      for (int rows : new int[] {Scenario.SMALL_FLUSH, Scenario.LARGE_FLUSH}) {
        Ceiling ceiling = new Ceiling(part, rows);
        Budget budget = plan.budget();
        RawCeiling.Figure figure =
            raw.measure(database, part, rows, Math.max(500, budget.warmMillis()), budget.millis());
        ceilings.put(ceiling, figure);
        say(line(name(ceiling), figure));
      }
    }
    return ceilings;
  }

  private static @Nullable Double rate(
      Map<Ceiling, RawCeiling.Figure> ceilings, @Nullable Ceiling ceiling) {
    RawCeiling.Figure figure = ceiling == null ? null : ceilings.get(ceiling);
    return figure == null ? null : figure.jobsPerSecond();
  }

  /** A bare figure as a line of the report. */
  static String line(String name, RawCeiling.Figure figure) {
    Double cpu = figure.postgresCpu();
    return String.format(
        Locale.ROOT,
        "raw: %-52s %9.0f jobs/s, PostgreSQL CPU-s %s",
        name,
        figure.jobsPerSecond(),
        cpu == null ? "-" : String.format(Locale.ROOT, "%.2f", cpu));
  }

  private static String name(Ceiling ceiling) {
    return (ceiling.part() == Part.INSERT ? "insert" : "insert and complete")
        + ", "
        + ceiling.rows()
        + " a flush, one connection";
  }

  /** Lets the compiler see every path before anything is measured. */
  private void warmUp(Mode mode, Database database, @Nullable RedisLine redis)
      throws SQLException, InterruptedException {
    say(String.format(Locale.ROOT, "warming up (%s) for %d ms", mode.label(), plan.warmUpMillis()));
    for (Shape shape :
        List.of(
            new Shape.Lists(Scenario.LARGE_FLUSH, Scenario.PRODUCERS, Scenario.IN_FLIGHT),
            new Shape.OneByOne(256))) {
      try (Bed bed = Bed.open(mode, database, servers.redisUrl(), redis)) {
        bed.startWorker();
        Load load = new Load(bed, shape, true);
        load.start();
        Pause.millis(plan.warmUpMillis() / 2);
        load.stop();
        bed.awaitCompleted();
      }
    }
  }
}
