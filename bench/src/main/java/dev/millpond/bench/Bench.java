package dev.millpond.bench;

import dev.millpond.bench.http.HttpFlow;
import dev.millpond.bench.peer.Peers;
import dev.millpond.bench.report.Report;
import dev.millpond.bench.report.TextTable;
import dev.millpond.bench.scenario.Budget;
import dev.millpond.bench.scenario.Catalogue;
import dev.millpond.bench.scenario.Ceiling;
import dev.millpond.bench.scenario.Mode;
import dev.millpond.bench.scenario.RawCeiling;
import dev.millpond.bench.scenario.RawCeiling.Part;
import dev.millpond.bench.scenario.Result;
import dev.millpond.bench.scenario.Scenario;
import dev.millpond.bench.scenario.Stage;
import dev.millpond.bench.servers.Database;
import dev.millpond.bench.servers.DiskProbe;
import dev.millpond.bench.servers.RedisLine;
import dev.millpond.bench.servers.Servers;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
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
   * @param peers measured in the same scenarios, after Millpond
   */
  record Plan(
      List<Mode> modes, List<Scenario> scenarios, long warmUpMillis, Budget budget, Peers peers) {}

  /**
   * @param progress told of each step
   */
  Bench(Servers servers, Plan plan, PrintWriter progress) {
    this.servers = servers;
    this.plan = plan;
    this.progress = progress;
  }

  /** Every scenario that can be chosen, of all packages, in the order they run. */
  static List<Scenario> scenarios() {
    List<Scenario> all = new ArrayList<>(Catalogue.scenarios());
    all.addAll(HttpFlow.scenarios());
    return all;
  }

  Report run() throws SQLException, InterruptedException, IOException {
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

  private Report run(Database database, @Nullable RedisLine redis)
      throws SQLException, InterruptedException, IOException {
    List<String> notes = notes(database, redis);
    notes.forEach(this::say);
    Map<String, Ceiling> ceilings = ceilings(database);
    List<Result> results = new ArrayList<>();
    say(TextTable.header());
    for (Mode mode : plan.modes()) {
      Stage stage =
          new Stage(
              mode,
              servers,
              database,
              redis == null || mode != Mode.STREAMS ? List.of() : List.of(redis),
              plan.budget(),
              ceilings,
              this::say);
      say(
          String.format(
              Locale.ROOT, "warming up (%s) for %d ms", mode.label(), plan.warmUpMillis()));
      Catalogue.warmUp(stage, plan.warmUpMillis());
      for (Scenario scenario : plan.scenarios()) {
        if (scenario.modes().contains(mode)) {
          Result result = scenario.run(stage);
          results.add(result);
          say(result);
        }
      }
    }
    List<Result> peers =
        peers(
            new Stage(
                Mode.POSTGRES, servers, database, List.of(), plan.budget(), ceilings, this::say));
    Map<String, Double> timesBestPeer = Peers.compare(results, peers);
    results.addAll(peers);
    return new Report(notes, List.copyOf(ceilings.values()), results, timesBestPeer);
  }

  private List<Result> peers(Stage stage) throws SQLException, InterruptedException {
    Set<String> titles = plan.scenarios().stream().map(Scenario::title).collect(Collectors.toSet());
    return plan.peers().run(stage, titles, plan.warmUpMillis(), this::say);
  }

  private void say(Result result) {
    say(TextTable.line(result));
    result.problems().forEach(problem -> say("  " + problem));
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
    notes.addAll(plan.peers().notes());
    Path directory = servers.directory();
    if (directory != null) {
      notes.add(DiskProbe.measure(directory, Math.clamp(plan.budget().millis(), 500, 5_000)));
    }
    if (!database.countsStatements()) {
      notes.add("no pg_stat_statements: SQL statements are not counted, commits are");
    }
    return notes;
  }

  private Map<String, Ceiling> ceilings(Database database) throws SQLException {
    RawCeiling raw =
        new RawCeiling("{\"at\":1234567890123456,\"text\":\"" + "x".repeat(175) + "\"}");
    Map<String, Ceiling> ceilings = new LinkedHashMap<>();
    for (Part part : Part.values()) {
      for (int rows : new int[] {Stage.SMALL_FLUSH, Stage.LARGE_FLUSH}) {
        Budget budget = plan.budget();
        Ceiling ceiling =
            raw.measure(database, part, rows, Math.max(500, budget.warmMillis()), budget.millis());
        ceilings.put(ceiling.name(), ceiling);
        say(TextTable.line(ceiling));
      }
    }
    return ceilings;
  }
}
