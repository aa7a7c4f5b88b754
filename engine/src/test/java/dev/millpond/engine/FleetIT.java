package dev.millpond.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.api.Backoff;
import dev.millpond.api.FatalJobException;
import dev.millpond.api.HandlerOptions;
import dev.millpond.api.JobContext;
import dev.millpond.api.JobRequest;
import dev.millpond.engine.Fleet.Mode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.params.XTrimParams;

/** A whole fleet in one process, with thousands of mixed jobs: each of them ends exactly once. */
class FleetIT {
  private static final int JOBS = 20_000;
  private static final int PORTION = 1_000;
  private static final String STREAM = "millpond:{s0}:default:normal";

  private static Database database;
  private Fleet fleet;
  private final Map<UUID, Integer> successes = new ConcurrentHashMap<>();

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
    fleet = Fleet.on(database, Mode.STREAMS);
  }

  @AfterEach
  void stop() {
    fleet.end();
  }

  private void mixed(Millpond member) {
    HandlerOptions quick =
        HandlerOptions.DEFAULT
            .withMaxAttempts(4)
            .withBackoff(new Backoff(Duration.ofMillis(5), Duration.ofMillis(50)));
    member.registerHandler("mixed", Integer.class, this::run, quick);
  }

  private @Nullable Object run(JobContext context, int n) throws InterruptedException {
    if (n % 97 == 0) {
      throw new FatalJobException("never");
    }
    if (n % 41 == 0 && context.attempt() < 3) {
      throw new IllegalStateException("not yet");
    }
    if (n % 503 == 0) {
      boolean ignored = new CountDownLatch(1).await(700, TimeUnit.MILLISECONDS);
    }
    successes.merge(context.jobId(), 1, Integer::sum);
    return n;
  }

  private List<JobRequest> requests(int from) {
    List<JobRequest> requests = new ArrayList<>();
    for (int n = from + 1; n <= from + PORTION; n++) {
      JobRequest request = JobRequest.of("mixed", n);
      requests.add(n % 53 == 0 ? request.withDelay(Duration.ofMillis(n % 1_000)) : request);
    }
    return requests;
  }

  @ParameterizedTest
  @EnumSource(Mode.class)
  void everyJobEndsExactlyOnceWhateverIsLostAndWhoeverLeaves(Mode mode) {
    fleet = Fleet.on(database, mode);
    Millpond first = fleet.worker(this::mixed);
    first.startMaintenance();
    Millpond second = fleet.worker(this::mixed);
    Millpond producer = fleet.producer(); // a worker keeps its own jobs, past the streams
    Random random = new Random(20_261_122);
    Set<UUID> acknowledged = new HashSet<>();
    for (int from = 0; from < JOBS; from += PORTION) {
      Millpond to = from / PORTION % 2 == 0 ? producer : second;
      acknowledged.addAll(Fleet.submit(to, requests(from)));
      if (mode == Mode.STREAMS && random.nextInt(3) == 0) {
        lose(random);
      }
      if (from == JOBS / 2) {
        fleet.leave(first);
        first = fleet.worker(this::mixed);
        first.startMaintenance();
      }
    }
    int dead = JOBS / 97;
    fleet.untilEnded(JOBS - dead);
    Fleet.until(
        "all dead letters",
        () -> database.number("SELECT count(*) FROM millpond.dead_letter") == dead);
    assertThat(acknowledged).hasSize(JOBS);
    fleet.assertBooksClean(acknowledged);
    assertThat(database.outcomes()).isEqualTo(JOBS - dead);
    assertThat(database.number("SELECT count(*) FROM millpond.dispatch")).isZero();
    assertThat(database.number("SELECT count(DISTINCT job_id) FROM millpond.job_outcome"))
        .isEqualTo(JOBS - dead);
    assertThat(successes).hasSize(JOBS - dead);
    long again = successes.values().stream().filter(n -> n > 1).count();
    if (mode == Mode.POSTGRES) {
      assertThat(again).as("nothing was lost, nothing had to run again").isZero();
    }
    fleet.assertCounted("submitted", JOBS);
    fleet.assertCounted("completed", JOBS - dead);
    fleet.assertCounted("dead", dead);
    fleet.assertCounted("failed", database.number("SELECT count(*) FROM millpond.job_attempt"));
    assertThat(fleet.counted("stale")).isLessThanOrEqualTo((double) again);
  }

  private void lose(Random random) {
    try (Jedis jedis = new Jedis(fleet.config().redisUrls().getFirst())) {
      switch (random.nextInt(4)) {
        case 0 -> jedis.flushAll();
        case 1 -> jedis.del(STREAM);
        case 2 -> {
          if (jedis.exists(STREAM)) {
            jedis.xgroupDestroy(STREAM, "millpond");
          }
        }
        default -> jedis.xtrim(STREAM, new XTrimParams().maxLen(0));
      }
    }
  }

  @Test
  void aHealthyFleetRunsNothingTwice() {
    Millpond first = fleet.worker(this::mixed);
    first.startMaintenance();
    fleet.worker(this::mixed);
    Millpond producer = fleet.producer();
    for (int from = 0; from < JOBS / 4; from += PORTION) {
      Fleet.submit(from / PORTION % 2 == 0 ? producer : first, requests(from));
    }
    int dead = JOBS / 4 / 97;
    fleet.untilEnded(JOBS / 4 - dead);
    assertThat(successes.values()).containsOnly(1);
    assertThat(fleet.counted("stale")).isZero();
    assertThat(fleet.counted("reconciled")).isZero();
    assertThat(fleet.counted("rescued")).isZero();
  }
}
