package dev.millpond.engine;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

import dev.millpond.api.CancelResult;
import dev.millpond.api.HandlerOptions;
import dev.millpond.api.JobOptions;
import dev.millpond.api.JobRequest;
import dev.millpond.api.JobState;
import dev.millpond.api.JobView;
import dev.millpond.engine.Fleet.Mode;
import dev.millpond.engine.flow.InvalidSettingException;
import dev.millpond.engine.flow.Pause;
import dev.millpond.engine.flow.Pause.Scope;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import redis.clients.jedis.Jedis;

/** Queues, kinds and tags that are paused: what starts, what waits, and that nothing is lost. */
class PauseIT {
  private static final String SUBMITTED = "SELECT count(*) FROM millpond.job";

  /** Batches that are neither on a stream nor with a worker. */
  private static final String WAITING_JOBS =
      """
      SELECT coalesce(sum(cardinality(job_ids)), 0) FROM millpond.dispatch
      WHERE sent_at IS NULL AND claimed_by IS NULL
      """;

  private static Database database;
  private Fleet fleet;
  private final Map<UUID, Integer> runs = new ConcurrentHashMap<>();
  private final CountDownLatch gate = new CountDownLatch(1);

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
    gate.countDown();
    fleet.end();
  }

  private void start(Mode mode) {
    fleet = Fleet.on(database, mode);
    fleet.maintainer();
  }

  private Millpond worker() {
    return worker(fleet.config());
  }

  private Millpond worker(MillpondConfig config) {
    return fleet.worker(
        config,
        millpond -> {
          for (String kind : List.of("plain", "other")) {
            millpond.registerHandler(
                kind,
                String.class,
                (context, payload) -> {
                  runs.merge(context.jobId(), 1, Integer::sum);
                  return null;
                });
          }
          millpond.registerHandler(
              "gated",
              String.class,
              (context, payload) -> {
                runs.merge(context.jobId(), 1, Integer::sum);
                gate.await();
                return null;
              },
              HandlerOptions.DEFAULT);
        });
  }

  private static JobRequest job(String kind, String queue) {
    return JobRequest.of(kind, "x").withQueue(queue);
  }

  private static JobRequest tagged(String... tags) {
    return JobRequest.of("plain", "x").withOptions(JobOptions.DEFAULT.withTags(tags));
  }

  private void assertFirstAttempts(List<UUID> ids) {
    for (UUID id : ids) {
      JobView job = fleet.untilState(id, JobState.SUCCEEDED);
      assertThat(job.attempt()).isEqualTo(1);
      assertThat(runs.get(id)).as("runs of %s", id).isEqualTo(1);
    }
    assertThat(database.number("SELECT max(lease_token) FROM millpond.job_outcome")).isEqualTo(1);
  }

  @ParameterizedTest
  @EnumSource(Mode.class)
  void aPausedQueueStartsNothingWhileOthersGoOnAndAllOfItOnceItIsResumed(Mode mode) {
    start(mode);
    Millpond node = worker();
    node.flow().pause(Scope.QUEUE, "slow", "the provider is down", "ann");

    List<UUID> held = Fleet.submit(node, job("plain", "slow"), 200);
    List<UUID> free = Fleet.submit(node, job("plain", "fast"), 200);

    fleet.untilEnded(200);
    assertThat(runs).containsOnlyKeys(free.toArray(UUID[]::new));
    // The leader may have put some on a stream, half a second behind; they come back.
    Fleet.until("they wait", () -> database.number(WAITING_JOBS) == 200);
    assertThat(node.flow().resume(Scope.QUEUE, "slow")).isTrue();
    fleet.untilEnded(400);
    assertFirstAttempts(held);
    assertThat(node.flow().resume(Scope.QUEUE, "slow")).isFalse();
  }

  @ParameterizedTest
  @EnumSource(Mode.class)
  void whatIsOnItsWayWhenItsKindIsPausedGoesBackAndWhatRunsGoesOn(Mode mode) {
    start(mode);
    Millpond steers = fleet.producer();
    // Jobs of a paused kind that are rescued wait as well: no slow machine may have them rescued.
    Timing timing =
        new Timing(
            Duration.ofSeconds(30),
            Fleet.TIMING.beat(),
            Fleet.TIMING.settle(),
            Fleet.TIMING.scan());
    worker(fleet.config().withSlots(4).withTiming(timing));
    List<UUID> gated = Fleet.submit(steers, job("gated", "default"), 100);
    Fleet.until("four run", () -> runs.size() == 4);

    steers.flow().pause(Scope.KIND, "gated", null, null);

    Fleet.until("all others wait", () -> database.number(WAITING_JOBS) == 96);
    List<UUID> free = Fleet.submit(steers, job("plain", "default"), 50);
    assertThat(runs).hasSize(4);
    gate.countDown();
    fleet.untilEnded(54);
    // The leader may have put them on a stream once more, half a second behind.
    Fleet.until("all others wait again", () -> database.number(WAITING_JOBS) == 96);
    assertThat(runs).hasSize(54);
    steers.flow().resume(Scope.KIND, "gated");
    fleet.untilEnded(150);
    assertFirstAttempts(gated);
    assertFirstAttempts(free);
  }

  @ParameterizedTest
  @EnumSource(Mode.class)
  void aQueueThatIsPausedInMidRunByAnotherProcessLosesAndDoublesNothing(Mode mode) {
    start(mode);
    Millpond steers = fleet.producer();
    worker();
    worker();
    List<UUID> all = new ArrayList<>();
    for (int round = 0; round < 5; round++) {
      all.addAll(Fleet.submit(steers, job("plain", "mail"), 2_000));
      steers.flow().pause(Scope.QUEUE, "mail", "round " + round, null);
      all.addAll(Fleet.submit(steers, job("plain", "mail"), 100));
      steers.flow().resume(Scope.QUEUE, "mail");
    }
    fleet.untilEnded(all.size());
    assertThat(runs).hasSize(all.size());
    assertThat(runs.values()).allMatch(times -> times == 1);
    assertThat(database.number("SELECT count(*) FROM millpond.job_attempt")).isZero();
  }

  @ParameterizedTest
  @EnumSource(Mode.class)
  void aLongStreamOfAPausedQueueHoldsUpNobodyElse(Mode mode) {
    start(mode);
    Millpond steers = fleet.producer();
    for (int i = 0; i < 20; i++) {
      Fleet.submit(steers, job("gated", "full"), 500);
    }
    steers.flow().pause(Scope.QUEUE, "full", null, null);
    worker();

    List<UUID> free = Fleet.submit(steers, job("plain", "other"), 100);

    await().atMost(Duration.ofSeconds(5)).until(() -> runs.size() >= 100);
    assertFirstAttempts(free);
    assertThat(database.number(SUBMITTED)).isEqualTo(10_100);
    Fleet.until("all others wait", () -> database.number(WAITING_JOBS) == 10_000);
    gate.countDown();
    steers.flow().resume(Scope.QUEUE, "full");
    fleet.untilEnded(10_100);
  }

  @ParameterizedTest
  @EnumSource(Mode.class)
  void jobsOfAPausedTagWaitWithTheReasonAndComeBackUnderTheSameToken(Mode mode) {
    start(mode);
    Millpond node = worker();
    node.flow().pause(Scope.TAG, "eu", "incident 7", "bob");

    List<UUID> held = Fleet.submit(node, tagged("blue", "eu"), 70);
    List<UUID> free = Fleet.submit(node, tagged("blue"), 70);

    fleet.untilEnded(70);
    assertFirstAttempts(free);
    for (UUID id : held) {
      JobView job = fleet.untilState(id, JobState.WAITING);
      assertThat(job.waitReason()).isEqualTo("pause");
    }
    assertThat(database.depth()).isZero();
    assertThat(runs).hasSize(70);
    fleet.assertBooksClean();
    assertThat(node.cancel(held.getFirst())).isInstanceOf(CancelResult.Cancelled.class);
    assertThat(database.depth()).isZero();
    node.flow().resume(Scope.TAG, "eu");
    fleet.untilEnded(140);
    assertFirstAttempts(held.subList(1, 70));
  }

  @ParameterizedTest
  @EnumSource(Mode.class)
  void aJobWithTwoPausedTagsWaitsForBothToBeResumed(Mode mode) {
    start(mode);
    Millpond node = worker();
    node.flow().pause(Scope.TAG, "a", null, null);
    node.flow().pause(Scope.TAG, "b", null, null);
    UUID id = Fleet.submit(node, tagged("a", "b"), 1).getFirst();
    fleet.untilState(id, JobState.WAITING);

    node.flow().resume(Scope.TAG, "a");

    Fleet.until(
        "it waits for b",
        () ->
            database
                .strings("SELECT paused_tag FROM millpond.job_state WHERE phase = 'waiting'")
                .equals(List.of("b")));
    assertThat(runs).isEmpty();
    node.flow().resume(Scope.TAG, "b");
    assertFirstAttempts(List.of(id));
  }

  @Test
  void losingRedisWhileMuchIsPausedLosesNoJob() {
    start(Mode.STREAMS);
    Millpond node = worker();
    List<UUID> all = new ArrayList<>(Fleet.submit(node, job("plain", "mail"), 500));
    node.flow().pause(Scope.QUEUE, "mail", null, null);
    node.flow().pause(Scope.TAG, "eu", null, null);
    all.addAll(Fleet.submit(node, job("plain", "mail"), 500));
    all.addAll(Fleet.submit(node, tagged("eu"), 100));
    try (Jedis jedis = new Jedis(fleet.redis().url())) {
      jedis.flushAll();
    }
    all.addAll(Fleet.submit(node, job("plain", "mail"), 500));
    Fleet.until(
        "jobs of the tag wait",
        () ->
            database.number("SELECT count(*) FROM millpond.job_state WHERE phase = 'waiting'")
                == 100);

    node.flow().resume(Scope.QUEUE, "mail");
    node.flow().resume(Scope.TAG, "eu");

    fleet.untilEnded(all.size());
    assertThat(runs).hasSize(all.size());
    assertThat(database.number("SELECT max(attempt) FROM millpond.job_outcome")).isEqualTo(1);
  }

  @ParameterizedTest
  @EnumSource(Mode.class)
  void aPauseHoldsForRetriesAndForJobsThatAreDueLater(Mode mode) {
    start(mode);
    Millpond node = worker();
    node.flow().pause(Scope.KIND, "plain", null, null);
    List<UUID> due =
        Fleet.submit(node, job("plain", "default").withDelay(Duration.ofMillis(50)), 10);
    Fleet.until("they are due", () -> database.number(WAITING_JOBS) == 10);
    UUID other = Fleet.submit(node, job("other", "default"), 1).getFirst();

    fleet.untilState(other, JobState.SUCCEEDED);
    assertThat(runs).containsOnlyKeys(other);
    node.flow().resume(Scope.KIND, "plain");
    assertFirstAttempts(due);
  }

  @Test
  void aPauseSaysWhoAndWhyAndOutlivesAllProcesses() {
    Millpond first = fleet.producer();
    Millpond second = fleet.producer();
    first.flow().pause(Scope.QUEUE, "mail", "too many bounces", "ann");
    first.flow().pause(Scope.KIND, "report", null, null);
    await()
        .atMost(Duration.ofSeconds(1))
        .until(() -> second.flow().settings().equals(first.flow().settings()));
    fleet.leave(first);
    fleet.leave(second);

    Millpond later = fleet.producer();

    List<Pause> all = later.flow().settings().pauses().all();
    assertThat(all).extracting(Pause::name).containsExactly("mail", "report");
    Pause mail = requireNonNull(later.flow().settings().pauses().of(Scope.QUEUE, "mail"));
    assertThat(mail.reason()).isEqualTo("too many bounces");
    assertThat(mail.by()).isEqualTo("ann");
    assertThat(later.queues().getFirst().pause()).isEqualTo(mail);
    later.flow().pause(Scope.QUEUE, "mail", "still", "bob");
    assertThat(requireNonNull(later.flow().settings().pauses().of(Scope.QUEUE, "mail")).by())
        .isEqualTo("bob");
  }

  @Test
  void impossibleNamesAndTextsAreRefused() {
    Millpond node = fleet.producer();
    refused(node, Scope.TAG, "No", null, "/tag must match ");
    refused(node, Scope.QUEUE, "millpond.no", null, "/queue is a reserved name");
    refused(node, Scope.KIND, "k", "x".repeat(501), "/reason must be 1 to 500 characters, are 501");
    refused(node, Scope.KIND, "k", " ", "/reason must be 1 to 500 characters, are 0");
    refused(node, Scope.KIND, "k", "a\nb", "/reason must have no control characters");
    assertThat(node.flow().settings().pauses().all()).isEmpty();
  }

  private static void refused(
      Millpond node, Scope scope, String name, @Nullable String reason, String why) {
    assertThatExceptionOfType(InvalidSettingException.class)
        .isThrownBy(() -> node.flow().pause(scope, name, reason, null))
        .withMessageStartingWith(why);
  }
}
