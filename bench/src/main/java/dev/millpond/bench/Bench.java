package dev.millpond.bench;

import dev.millpond.bench.peer.Peers;
import dev.millpond.bench.report.Report;
import dev.millpond.bench.report.TextTable;
import dev.millpond.bench.scenario.Bare;
import dev.millpond.bench.scenario.Catalogue;
import dev.millpond.bench.scenario.Ceiling;
import dev.millpond.bench.scenario.Mode;
import dev.millpond.bench.scenario.RawCeiling;
import dev.millpond.bench.scenario.Result;
import dev.millpond.bench.scenario.Scenario;
import dev.millpond.bench.scenario.Stage;
import dev.millpond.bench.servers.Cleanup;
import dev.millpond.bench.servers.Database;
import dev.millpond.bench.servers.DiskProbe;
import dev.millpond.bench.servers.RedisLines;
import dev.millpond.bench.servers.Servers;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * A run over scenarios and modes on given servers: in each mode warm-up, bare statements, then one
 * after the other.
 */
final class Bench {
  /** How much longer than scenarios bare statements warm up, which no other load has run. */
  private static final int BARE_WARM_TIMES = 2;

  private final Servers servers;
  private final Plan plan;
  private final PrintWriter progress;
  private final String startedAt = Instant.now().truncatedTo(ChronoUnit.SECONDS).toString();

  /**
   * @param progress told of each step
   */
  Bench(Servers servers, Plan plan, PrintWriter progress) {
    this.servers = servers;
    this.plan = plan;
    this.progress = progress;
  }

  /**
   * Measures all of the plan.
   *
   * @param cleanup gets what is opened
   */
  Report run(Cleanup cleanup) throws SQLException, InterruptedException, IOException {
    Database database = cleanup.add(Database.create(servers.pgUrl()));
    RedisLines redis = cleanup.add(new RedisLines());
    List<String> notes = notes(database, redis);
    notes.forEach(this::say);
    List<Ceiling> ceilings = new ArrayList<>();
    List<Result> results = new ArrayList<>();
    int count = plan.measurements();
    say(TextTable.header());
    for (Mode mode : plan.modes()) {
      Map<Bare, Ceiling> bare = new LinkedHashMap<>();
      Stage stage = new Stage(mode, servers, database, redis, plan.budget(), bare, this::say);
      List<Scenario> scenarios =
          plan.scenarios().stream().filter(each -> each.modes().contains(mode)).toList();
      if (!scenarios.isEmpty() && plan.warmUpMillis() > 0) {
        say("warming up (%s) for %d ms".formatted(mode.label(), plan.warmUpMillis()));
        Catalogue.warmUp(stage, plan.warmUpMillis());
      }
      measureBare(stage, scenarios, bare);
      ceilings.addAll(bare.values());
      for (Scenario scenario : scenarios) {
        Result result = measure(scenario, stage, cleanup);
        results.add(result);
        say("%s  [%d/%d]".formatted(TextTable.line(result), results.size(), count));
        result.problems().forEach(problem -> say("  " + problem));
      }
    }
    List<Result> peers =
        peers(
            new Stage(Mode.POSTGRES, servers, database, redis, plan.budget(), Map.of(), this::say),
            cleanup);
    Map<String, Double> timesBestPeer = Peers.compare(results, peers);
    results.addAll(peers);
    return Report.of(startedAt, notes, ceilings, results, timesBestPeer);
  }

  private List<Result> peers(Stage stage, Cleanup cleanup) throws InterruptedException {
    Set<String> titles = plan.scenarios().stream().map(Scenario::title).collect(Collectors.toSet());
    return plan.peers().run(stage, titles, plan.warmUpMillis(), cleanup::stopping, this::say);
  }

  private void say(Result result) {
    say(TextTable.line(result));
    result.problems().forEach(problem -> say("  " + problem));
  }

  /** An error of one is no reason to lose the others. */
  private static Result measure(Scenario scenario, Stage stage, Cleanup cleanup)
      throws InterruptedException {
    try {
      return scenario.run(stage);
    } catch (IOException | SQLException | RuntimeException e) {
      if (cleanup.stopping()) {
        throw new IllegalStateException("stopped", e);
      }
      return Result.failed(scenario, stage.mode(), e);
    }
  }

  private void say(String line) {
    progress.println(line);
    progress.flush();
  }

  private List<String> notes(Database database, RedisLines redis) throws SQLException, IOException {
    List<String> notes = new ArrayList<>(servers.notes());
    String redisVersion =
        plan.redisServers() == 0
            ? ""
            : ", Redis "
                + redis
                    .lines(servers.redisUrls(1))
                    .getFirst()
                    .info("server")
                    .getOrDefault("redis_version", "?");
    notes.add(
        "%s, %d processors, Java %s, PostgreSQL %s%s"
            .formatted(
                System.getProperty("os.name") + " " + System.getProperty("os.version"),
                Runtime.getRuntime().availableProcessors(),
                Runtime.version(),
                database.version(),
                redisVersion));
    notes.add(database.settings());
    notes.addAll(plan.peers().notes());
    Path directory = servers.directory();
    if (directory != null) {
      notes.add(DiskProbe.measure(directory, Math.clamp(plan.budget().millis() / 2, 250, 5_000)));
    }
    if (!database.countsStatements()) {
      notes.add("no pg_stat_statements: SQL statements are not counted, commits are");
    }
    return notes;
  }

  /**
   * What scenarios are compared with, of those bare statements that they ask for. After the
   * warm-up: code, pages of PostgreSQL and files of its log are then as they are for the scenarios.
   */
  private void measureBare(Stage stage, List<Scenario> scenarios, Map<Bare, Ceiling> measured)
      throws SQLException {
    RawCeiling raw =
        new RawCeiling("{\"at\":1234567890123456,\"text\":\"" + "x".repeat(175) + "\"}");
    for (Scenario scenario : scenarios) {
      Bare bare = scenario.bare();
      if (bare != null && !measured.containsKey(bare)) {
        Ceiling ceiling = raw.measure(stage, bare, plan.budget().warmMillis() * BARE_WARM_TIMES);
        measured.put(bare, ceiling);
        say(TextTable.line(ceiling));
      }
    }
  }
}
