package dev.millpond.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.api.JobRequest;
import dev.millpond.engine.Fleet.Mode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;
import redis.clients.jedis.Jedis;

/**
 * What a job costs in transactions and commands. A change that goes beyond a budget shows here
 * before it shows in a benchmark.
 */
@Isolated("counts what the whole server does")
class BudgetIT {
  private static final int WARM_UP = 4_000;
  private static final int JOBS = 20_000;
  private static final int PORTION = 1_000;

  /** A submit of a thousand is one transaction, and so is what a flush gathers of its outcomes. */
  private static final double FLUSHES_PER_1000_JOBS = 20;

  /** Flushes and claims from the table. */
  private static final double WRITES_PER_1000_JOBS = 60;

  /** Beats, the leader's lease and its roles, whatever the load. */
  private static final double UPKEEP_WRITES_PER_SECOND = 60;

  /** XADD, SET, XDEL, XACK and their share of reads, for a batch of at least eight no-op jobs. */
  private static final double REDIS_COMMANDS_PER_JOB = 0.5;

  /** Callers that wait for one job each share the transactions of the group commit. */
  private static final double FLUSHES_PER_SINGLE_SUBMIT = 0.1;

  private static final Pattern CALLS = Pattern.compile("cmdstat_([^:]+):calls=(\\d+)");

  private static Database database;
  private Fleet fleet;

  @BeforeAll
  static void open() {
    database = Database.fresh();
  }

  @AfterAll
  static void shut() {
    database.close();
  }

  @BeforeEach
  void start() {
    fleet = Fleet.on(database, Mode.POSTGRES);
  }

  @AfterEach
  void stop() {
    fleet.end();
  }

  /** Numbers given to transactions that write, of the whole server. */
  private static long writingTransactions() {
    return database.number("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint");
  }

  private void runNoOps(Millpond node, int jobs, long endedBefore) {
    for (int done = 0; done < jobs; done += PORTION) {
      Fleet.submit(node, JobRequest.of("noop", done), PORTION);
    }
    fleet.untilEnded(endedBefore + jobs);
  }

  private Millpond worker() {
    return fleet.worker(m -> m.registerHandler("noop", Integer.class, (c, p) -> null));
  }

  @Test
  void aThousandJobsTakeFewTransactions() {
    Millpond node = worker();
    runNoOps(node, WARM_UP, 0);
    long before = flushes();
    runNoOps(node, JOBS, WARM_UP);
    double per1000 = (flushes() - before) * 1_000.0 / JOBS;
    assertThat(per1000).as("flushes per 1000 jobs").isBetween(1.0, FLUSHES_PER_1000_JOBS);
  }

  /** Each flush leaves one marker: a count of writing transactions that nobody else disturbs. */
  private static long flushes() {
    return database.number("SELECT count(*) FROM millpond.flush_marker");
  }

  @Test
  void allWritingTransactionsTogetherStayWithinTheBudget() {
    Millpond node = worker();
    fleet.maintainer();
    runNoOps(node, WARM_UP, 0);
    long before = writingTransactions();
    long began = System.nanoTime();
    runNoOps(node, JOBS, WARM_UP);
    double seconds = (System.nanoTime() - began) / 1e9;
    double per1000 = (writingTransactions() - before) * 1_000.0 / JOBS;
    assertThat(per1000)
        .as("writing transactions per 1000 jobs in %.1f s", seconds)
        .isBetween(1.0, WRITES_PER_1000_JOBS + UPKEEP_WRITES_PER_SECOND * seconds * 1_000 / JOBS);
  }

  @Test
  void callersThatWaitForOneJobEachShareTheirTransactions() {
    Millpond node = fleet.producer();
    Fleet.submit(node, JobRequest.of("noop", 0), 100);
    long before = flushes();
    int jobs = 4_000;
    List<CompletableFuture<?>> all = new ArrayList<>();
    for (int i = 0; i < jobs; i++) {
      all.add(node.submitAsync(JobRequest.of("noop", i)));
    }
    CompletableFuture.allOf(all.toArray(CompletableFuture[]::new)).join();
    assertThat((flushes() - before) / (double) jobs)
        .as("flushes per job")
        .isLessThan(FLUSHES_PER_SINGLE_SUBMIT);
  }

  @Test
  void aJobTakesFewRedisCommands() {
    fleet.end();
    fleet = Fleet.on(database, Mode.STREAMS);
    Millpond node = worker();
    fleet.maintainer();
    runNoOps(node, WARM_UP, 0);
    Map<String, Long> before = commands();
    runNoOps(node, JOBS, WARM_UP);
    Map<String, Long> after = commands();
    before.forEach((command, calls) -> after.merge(command, -calls, Long::sum));
    long total = after.values().stream().mapToLong(Long::longValue).sum();
    assertThat(total / (double) JOBS)
        .as("commands per job, %s", after)
        .isBetween(0.01, REDIS_COMMANDS_PER_JOB);
  }

  private Map<String, Long> commands() {
    Map<String, Long> calls = new TreeMap<>();
    try (Jedis jedis = new Jedis(fleet.config().redisUrls().getFirst())) {
      Matcher matcher = CALLS.matcher(jedis.info("commandstats"));
      while (matcher.find()) {
        calls.put(matcher.group(1), Long.parseLong(matcher.group(2)));
      }
    }
    return calls;
  }
}
