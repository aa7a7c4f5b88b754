package dev.millpond.bench.scale;

import dev.millpond.engine.Millpond;
import dev.millpond.engine.MillpondConfig;
import dev.millpond.engine.Timing;
import dev.millpond.engine.admission.Watermarks;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;

/**
 * The process on a host: one node of Millpond in one role. Takes commands on its input, answers
 * each with a line of JSON, and ends with its input.
 */
final class HostNode {
  /** A cut of three seconds is longer than this lease. */
  static final Timing TIMING = Timing.FAST;

  private static final JsonMapper JSON = new JsonMapper();
  private static final int PROBES = 201;
  private static final long START_NANOS = 30_000_000_000L;

  private static final String COUNTS =
      """
      SELECT (SELECT count(*) FROM millpond.job), (SELECT count(*) FROM millpond.job_outcome),
             (SELECT count(*) FROM millpond.job_attempt WHERE ended = 'rescued')
      """;

  private final Role role;
  private final List<DelayRelay> relays = new ArrayList<>();
  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
  private final LongAdder runs = new LongAdder();
  private final String pgUrl;
  private final Millpond millpond;
  private final @Nullable HostLoad load;

  /** What a process does. */
  enum Role {
    /** Submits. */
    API,
    /** Runs jobs. */
    WORKER,
    /** Does the maintenance when it is its turn. */
    KEEPER,
    /** Only looks. */
    CLERK
  }

  /** What only some commands look up. */
  private record Counts(long jobs, long outcomes, long rescued, long tripNanos) {}

  private static final Counts NOTHING = new Counts(0, 0, 0, 0);

  private HostNode(Role role, String postgres, List<String> redis, boolean slow)
      throws IOException {
    this.role = role;
    this.pgUrl =
        "jdbc:postgresql://"
            + postgres
            + "/postgres?user=millpond&sslmode=disable"
            + (slow ? "&socketFactory=" + SlowSockets.class.getName() : "");
    List<String> urls = new ArrayList<>();
    for (String server : redis) {
      urls.add("redis://" + (slow ? relay(server) : server));
    }
    if (role == Role.CLERK) {
      awaitPostgres();
      Millpond.migrate(pgUrl);
    }
    this.millpond =
        Millpond.connect(
            MillpondConfig.of(pgUrl)
                .withRedis(urls)
                .withTiming(TIMING)
                .withWatermarks(Watermarks.NONE),
            registry);
    this.load = role == Role.API ? new HostLoad(millpond) : null;
    switch (role) {
      case WORKER -> {
        millpond.registerHandler(
            HostLoad.KIND,
            HostLoad.Payload.class,
            (context, payload) -> {
              runs.increment();
              if (payload.millis() > 0) {
                Thread.sleep(payload.millis());
              }
              return null;
            });
        millpond.startWorker();
      }
      case KEEPER -> millpond.startMaintenance();
      case API, CLERK -> {}
    }
  }

  /** It listens a moment before it lets anyone in. */
  private void awaitPostgres() {
    long until = System.nanoTime() + START_NANOS;
    while (System.nanoTime() < until) {
      try (Connection connection = DriverManager.getConnection(pgUrl)) {
        if (connection.isValid(1)) {
          return;
        }
      } catch (SQLException e) {
        LockSupport.parkNanos(50_000_000);
      }
    }
  }

  private String relay(String server) throws IOException {
    int colon = server.lastIndexOf(':');
    DelayRelay relay =
        new DelayRelay(
            new InetSocketAddress(
                server.substring(0, colon), Integer.parseInt(server.substring(colon + 1))));
    relays.add(relay);
    return "127.0.0.1:" + relay.port();
  }

  /**
   * Runs until the input ends.
   *
   * @param args role, PostgreSQL as host:port, Redis as host:port,…, and whether the way to them
   *     can be made slower
   */
  public static void main(String[] args) throws IOException {
    HostNode node =
        new HostNode(
            Role.valueOf(args[0]),
            args[1],
            args[2].isEmpty() ? List.of() : Arrays.asList(args[2].split(",", -1)),
            Boolean.parseBoolean(args[3]));
    node.say(node.report(List.of(), NOTHING));
    try (BufferedReader lines =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        node.obey(line.split(" ", -1));
      }
    } finally {
      // Whoever asked has what he wants; a database that is gone must not hold up the end.
      Runtime.getRuntime().halt(0);
    }
  }

  private void obey(String[] command) {
    NodeReport report;
    try {
      report =
          switch (command[0]) {
            case "load" -> loaded(() -> started(command));
            case "stop" -> loaded(() -> HostLoad.present(load).stop());
            case "delay" -> {
              long nanos = Long.parseLong(command[1]);
              relays.forEach(relay -> relay.delay(nanos / 2));
              SlowSockets.delay(nanos);
              yield report(List.of(), new Counts(0, 0, 0, probe()));
            }
            case "books" -> books();
            case "counts" -> report(List.of(), counts());
            default -> report(List.of(), NOTHING);
          };
    } catch (RuntimeException | SQLException e) {
      report = report(List.of(command[0] + ": " + e), NOTHING);
    }
    say(report);
  }

  private NodeReport loaded(Runnable change) {
    change.run();
    return report(List.of(), NOTHING);
  }

  private void started(String[] command) {
    HostLoad.present(load).start(HostLoad.Shape.valueOf(command[1]), Integer.parseInt(command[2]));
  }

  /** The books are told what was acknowledged here under faults: all of it has to be there. */
  private NodeReport books() {
    HostLoad present = load;
    Set<UUID> told = present == null ? Set.of() : present.told();
    List<String> findings =
        millpond.checkBooks(told).findings().stream().limit(5).map(Object::toString).toList();
    return report(findings, NOTHING);
  }

  /** Nanoseconds of a round trip to PostgreSQL, in the middle of some. */
  private long probe() throws SQLException {
    long[] nanos = new long[PROBES];
    try (Connection connection = DriverManager.getConnection(pgUrl);
        Statement statement = connection.createStatement()) {
      for (int i = 0; i < PROBES; i++) {
        long began = System.nanoTime();
        statement.execute("SELECT 1");
        nanos[i] = System.nanoTime() - began;
      }
    }
    Arrays.sort(nanos);
    return nanos[PROBES / 2];
  }

  private Counts counts() throws SQLException {
    try (Connection connection = DriverManager.getConnection(pgUrl);
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(COUNTS)) {
      row.next();
      return new Counts(row.getLong(1), row.getLong(2), row.getLong(3), 0);
    }
  }

  private NodeReport report(List<String> findings, Counts counts) {
    HostLoad present = load;
    Histogram times = present == null ? new Histogram(3) : present.answerMicros();
    double completed =
        registry.find("millpond.jobs.completed").counters().stream()
            .mapToDouble(Counter::count)
            .sum();
    return new NodeReport(
        present == null ? 0 : present.acknowledged(),
        present == null ? 0 : present.unanswered(),
        (long) completed,
        runs.sum(),
        role == Role.KEEPER && registry.get("millpond.leader").gauge().value() > 0,
        times.getValueAtPercentile(50),
        times.getValueAtPercentile(95),
        times.getValueAtPercentile(99),
        counts.jobs(),
        counts.outcomes(),
        counts.rescued(),
        counts.tripNanos(),
        findings);
  }

  private void say(NodeReport report) {
    System.out.println(JSON.writeValueAsString(report));
    System.out.flush();
  }
}
