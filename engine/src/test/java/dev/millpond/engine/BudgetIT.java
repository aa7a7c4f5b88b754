package dev.millpond.engine;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.millpond.api.Backoff;
import dev.millpond.api.HandlerOptions;
import dev.millpond.api.JobOptions;
import dev.millpond.api.JobRequest;
import dev.millpond.embedded.MeasuredPostgres;
import dev.millpond.embedded.MeasuredPostgres.Counts;
import dev.millpond.engine.Fleet.Mode;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import redis.clients.jedis.Jedis;

/**
 * What a job may cost, in counts: a change that goes beyond a budget shows here before it shows in
 * a benchmark. One process has all roles, as a server has by default; its PostgreSQL does nothing
 * else. The table is in docs/performance.md as well; with {@code -Dmillpond.docs.write=true} it is
 * written there, with what was measured.
 */
@Isolated("counts what the whole JVM and the whole server do")
class BudgetIT {
  private static final String HOW =
      "mvn verify -pl engine -am -Dit.test=BudgetIT -Dtest=none"
          + " -Dsurefire.failIfNoSpecifiedTests=false -Dfailsafe.failIfNoSpecifiedTests=false"
          + " -Dmillpond.docs.write=true";

  /**
   * The budgets of one job, a row a path: SQL statements, writing transactions, bytes of WAL, Redis
   * commands, bytes allocated. Lower them whenever a change makes it possible, and write the
   * document again. WAL and allocations hardly vary, so they have a fifth of air; the others depend
   * on how the machine interleaves producers and writer, and have as much again.
   */
  @SuppressWarnings("ImmutableEnumChecker") // a record of numbers
  enum Route {
    SUBMIT_CALLERS("submit, 64 callers", Mode.POSTGRES, new Cost(0.35, 0.07, 600, 0, 4_700)),
    SUBMIT_LISTS("submit, lists of 1000", Mode.POSTGRES, new Cost(0.012, 0.0025, 490, 0, 2_700)),
    KEYED_CALLERS(
        "submit with key, 64 callers", Mode.POSTGRES, new Cost(0.45, 0.07, 1_130, 0, 11_600)),
    KEYED_LISTS(
        "submit with keys, lists of 1000", Mode.POSTGRES, new Cost(0.02, 0.003, 1_030, 0, 7_100)),
    RUN_CALLERS("end to end, 64 callers", Mode.POSTGRES, new Cost(0.6, 0.12, 770, 0, 8_000)),
    RUN_LISTS("end to end, lists of 1000", Mode.POSTGRES, new Cost(0.035, 0.009, 760, 0, 6_000)),
    STREAM_CALLERS(
        "end to end, 64 callers, streams", Mode.STREAMS, new Cost(0.55, 0.08, 770, 0.4, 8_400)),
    STREAM_LISTS(
        "end to end, lists of 1000, streams",
        Mode.STREAMS,
        new Cost(0.035, 0.009, 750, 0.15, 6_200)),
    RETRIES(
        "end to end with a retry, lists of 1000",
        Mode.POSTGRES,
        new Cost(0.1, 0.016, 2_820, 0, 24_800));

    final String text;
    final Mode mode;
    final Cost budget;

    Route(String text, Mode mode, Cost budget) {
      this.text = text;
      this.mode = mode;
      this.budget = budget;
    }

    boolean runs() {
      return switch (this) {
        case SUBMIT_CALLERS, SUBMIT_LISTS, KEYED_CALLERS, KEYED_LISTS -> false;
        case RUN_CALLERS, RUN_LISTS, STREAM_CALLERS, STREAM_LISTS, RETRIES -> true;
      };
    }

    boolean oneByOne() {
      return switch (this) {
        case SUBMIT_CALLERS, KEYED_CALLERS, RUN_CALLERS, STREAM_CALLERS -> true;
        case SUBMIT_LISTS, KEYED_LISTS, RUN_LISTS, STREAM_LISTS, RETRIES -> false;
      };
    }

    boolean keyed() {
      return this == KEYED_CALLERS || this == KEYED_LISTS;
    }
  }

  /** What beats, the leader and its roles may take in a second, whatever the load. */
  private static final Cost UPKEEP_PER_SECOND = new Cost(250, 40, 40_000, 60, 4_000_000);

  private static final int JOBS = 16_000;
  private static final int WARM_UP = 8_000;
  private static final int LIST = 1_000;
  private static final int SCRAPES = 2_000;
  private static final int CALLERS = 64;

  private static final DocPart TABLE = new DocPart("docs/performance.md", "budgets");
  private static final Pattern CALLS = Pattern.compile("cmdstat_([^:]+):calls=(\\d+)");
  private static final String FAILS_ONCE = "fails-once";
  private static final String NO_OP = "noop";

  private static final HandlerOptions QUICK_RETRIES =
      HandlerOptions.DEFAULT.withBackoff(new Backoff(Duration.ofMillis(1), Duration.ofMillis(2)));

  private static final Map<Route, Cost> MEASURED = new EnumMap<>(Route.class);
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  private static MeasuredPostgres postgres;
  private static Database database;

  /** What is counted, of one job or of all. */
  record Cost(
      double statements,
      double transactions,
      double walBytes,
      double redisCommands,
      double allocatedBytes) {

    double[] values() {
      return new double[] {statements, transactions, walBytes, redisCommands, allocatedBytes};
    }
  }

  private static final List<String> NAMES =
      List.of(
          "SQL statements", "writing transactions", "WAL bytes", "Redis commands", "Java bytes");

  /** About 210 bytes as JSON, as in the bench. */
  private record Payload(long at, String text) {}

  private static final String TEXT = "millpond ".repeat(19);

  @BeforeAll
  static void open() {
    postgres = MeasuredPostgres.start();
    database = Database.on(postgres.freshDatabase());
  }

  @AfterAll
  static void shut() {
    database.close();
    postgres.close();
    if (DocPart.WRITE && MEASURED.size() == Route.values().length) {
      TABLE.write(table(true));
    }
  }

  @ParameterizedTest
  @EnumSource
  void aJobStaysWithinItsBudget(Route route) throws InterruptedException, ExecutionException {
    try (Fleet fleet = Fleet.on(database, route.mode)) {
      measure(fleet, route);
      fleet.end();
    }
  }

  @Test
  void readingAllMetricsAsksNeitherPostgresNorRedis() {
    try (Fleet fleet = Fleet.on(database, Mode.STREAMS)) {
      Millpond node =
          fleet.worker(
              fleet.config().withTiming(Timing.DEFAULT),
              m -> m.registerHandler(NO_OP, Payload.class, (context, payload) -> null));
      node.startMaintenance();
      Fleet.submit(node, request(Route.STREAM_LISTS), 10);
      Fleet.until(
          "it leads, and all have ended",
          () -> fleet.gauged("millpond.leader") == 1 && fleet.counted("completed") == 10);
      Cost before = now(fleet, Route.STREAM_LISTS);
      long began = System.nanoTime();
      for (int i = 0; i < SCRAPES; i++) {
        fleet.readMetrics();
      }
      double seconds = (System.nanoTime() - began) / 1e9;
      Cost after = now(fleet, Route.STREAM_LISTS);
      assertThat(after.statements - before.statements)
          .as("statements in %d reads, %.1f s", SCRAPES, seconds)
          .isLessThan(SCRAPES / 2.0 + UPKEEP_PER_SECOND.statements * seconds);
      assertThat(after.redisCommands - before.redisCommands)
          .as("commands in %d reads, %.1f s", SCRAPES, seconds)
          .isLessThan(SCRAPES / 2.0 + UPKEEP_PER_SECOND.redisCommands * seconds);
      fleet.end();
    }
  }

  private static void measure(Fleet fleet, Route route)
      throws InterruptedException, ExecutionException {
    Millpond node =
        fleet.worker(
            fleet.config().withTiming(Timing.DEFAULT),
            m -> {
              m.registerHandler(NO_OP, Payload.class, (context, payload) -> null);
              m.registerHandler(
                  FAILS_ONCE,
                  Payload.class,
                  (context, payload) -> {
                    if (context.attempt() == 1) {
                      throw new IllegalStateException("not yet");
                    }
                    return null;
                  },
                  QUICK_RETRIES);
            });
    node.startMaintenance();
    postgres.checkpoint();
    work(fleet, node, route, WARM_UP, 0);

    Cost before = now(fleet, route);
    Counts counts = postgres.counts();
    long began = System.nanoTime();
    work(fleet, node, route, JOBS, WARM_UP);
    double seconds = (System.nanoTime() - began) / 1e9;
    Cost after = now(fleet, route);
    assertThat(postgres.counts().checkpoint())
        .as("a checkpoint in between makes the log longer")
        .isEqualTo(counts.checkpoint());
    Cost measured = perJob(before, after);
    MEASURED.put(route, measured);
    System.out.printf(Locale.ROOT, "budget: %s, %.1f s: %s%n", route.text, seconds, measured);
    check(route, measured, seconds);
  }

  private static void check(Route route, Cost measured, double seconds) {
    double[] budget = route.budget.values();
    double[] upkeep = UPKEEP_PER_SECOND.values();
    double[] found = measured.values();
    for (int i = 0; i < found.length; i++) {
      assertThat(found[i])
          .as("%s of a job, %s, in %.1f s", NAMES.get(i), route.text, seconds)
          .isLessThanOrEqualTo(budget[i] + upkeep[i] * seconds / JOBS);
    }
  }

  @Test
  void theDocumentHasTheBudgets() {
    if (!DocPart.WRITE) {
      assertThat(TABLE.read().replaceAll(" \\([^)|]*\\)", ""))
          .as("write it again: %s", HOW)
          .isEqualTo(table(false));
    }
  }

  private static String table(boolean withMeasured) {
    StringBuilder text = new StringBuilder("\n| one job | " + String.join(" | ", NAMES) + " |\n");
    text.append("|---|---|---|---|---|---|\n");
    for (Route route : Route.values()) {
      text.append("| ").append(route.text);
      double[] budget = route.budget.values();
      for (int i = 0; i < budget.length; i++) {
        text.append(" | ").append(number(budget[i]));
        if (withMeasured) {
          text.append(" (")
              .append(number(requireNonNull(MEASURED.get(route)).values()[i]))
              .append(')');
        }
      }
      text.append(" |\n");
    }
    return text.append('\n').toString();
  }

  private static String number(double value) {
    return value >= 100
        ? "%,.0f".formatted(value)
        : value == 0 ? "0" : String.format(Locale.ROOT, value < 0.01 ? "%.4f" : "%.3f", value);
  }

  private static Cost perJob(Cost before, Cost after) {
    return new Cost(
        (after.statements - before.statements) / JOBS,
        (after.transactions - before.transactions) / JOBS,
        (after.walBytes - before.walBytes) / JOBS,
        (after.redisCommands - before.redisCommands) / JOBS,
        (after.allocatedBytes - before.allocatedBytes) / JOBS);
  }

  /**
   * Counts so far. The allocations of all threads: those of virtual ones appear at their carriers.
   */
  private static Cost now(Fleet fleet, Route route) {
    Counts counts = postgres.counts();
    return new Cost(
        counts.statements(),
        counts.transactions(),
        counts.walBytes(),
        route.mode == Mode.STREAMS ? redisCommands(fleet) : 0,
        THREADS.getTotalThreadAllocatedBytes());
  }

  private static long redisCommands(Fleet fleet) {
    long calls = 0;
    try (Jedis jedis = new Jedis(fleet.redis().url())) {
      Matcher matcher = CALLS.matcher(jedis.info("commandstats"));
      while (matcher.find()) {
        calls += Long.parseLong(matcher.group(2));
      }
    }
    return calls;
  }

  private static JobRequest request(Route route) {
    JobRequest request =
        JobRequest.of(
            route == Route.RETRIES ? FAILS_ONCE : route.runs() ? NO_OP : "nobodys",
            new Payload(System.nanoTime(), TEXT));
    return route.keyed()
        ? request.withOptions(JobOptions.DEFAULT.withIdempotencyKey("order-" + UUID.randomUUID()))
        : request;
  }

  private static void work(Fleet fleet, Millpond node, Route route, int jobs, int ranBefore)
      throws InterruptedException, ExecutionException {
    if (route.oneByOne()) {
      oneByOne(node, route, jobs);
    } else {
      for (int done = 0; done < jobs; done += LIST) {
        List<JobRequest> list = new ArrayList<>(LIST);
        for (int i = 0; i < LIST; i++) {
          list.add(request(route));
        }
        Fleet.submit(node, list);
      }
    }
    if (route.runs()) { // by the counter: a look into the tables would be counted
      Fleet.until("all have ended", () -> fleet.counted("completed") >= ranBefore + jobs);
    }
  }

  private static void oneByOne(Millpond node, Route route, int jobs)
      throws InterruptedException, ExecutionException {
    try (ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<?>> all = new ArrayList<>();
      for (int caller = 0; caller < CALLERS; caller++) {
        all.add(
            callers.submit(() -> {
              for (int i = 0; i < jobs / CALLERS; i++) {
                node.submitOrThrow(request(route));
              }
            }));
      }
      for (Future<?> each : all) {
        each.get();
      }
    }
  }
}
