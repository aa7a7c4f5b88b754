package dev.millpond.engine.worker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.api.Backoff;
import dev.millpond.api.HandlerOptions;
import dev.millpond.api.JobContext;
import dev.millpond.api.JobRequest;
import dev.millpond.api.JobState;
import dev.millpond.api.JobView;
import dev.millpond.engine.Database;
import dev.millpond.engine.Fleet;
import dev.millpond.engine.Fleet.Mode;
import dev.millpond.engine.Millpond;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Jobs that run for longer than a settle time: dissolved batches, timeouts, signs of life, drain.
 */
class TrackedRunIT {
  private static final String SLOTS = "millpond.worker.slots";

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

  private static HandlerOptions within(Duration soft, Duration hard) {
    return HandlerOptions.DEFAULT
        .withTimeouts(soft, hard)
        .withBackoff(new Backoff(Duration.ofMillis(1), Duration.ofMillis(2)));
  }

  @ParameterizedTest
  @EnumSource(Mode.class)
  void aSlowJobIsTrackedAloneAndItsNeighboursEnd(Mode mode) {
    fleet = Fleet.on(database, mode);
    CountDownLatch release = new CountDownLatch(1);
    Millpond node =
        fleet.worker(
            fleet.config().withSlots(2),
            m ->
                m.registerHandler(
                    "mixed",
                    Integer.class,
                    (context, n) -> {
                      if (n == 1) {
                        release.await();
                      }
                      return n;
                    }));
    fleet.maintainer();
    List<JobRequest> requests = new ArrayList<>();
    for (int n = 0; n < 12; n++) {
      requests.add(JobRequest.of("mixed", n));
    }
    List<UUID> ids = Fleet.submit(node, requests);
    fleet.untilEnded(11);
    JobView slow = fleet.untilState(ids.get(1), JobState.RUNNING);
    assertThat(slow.timing().startedAt()).isNotNull();
    assertThat(database.number("SELECT count(*) FROM millpond.dispatch")).isZero();
    assertThat(database.depth()).isEqualTo(1);
    fleet.assertBooksClean();
    release.countDown();
    JobView ended = fleet.untilState(ids.get(1), JobState.SUCCEEDED);
    assertThat(ended.attempts()).hasSize(1);
    assertThat(ended.attempts().getFirst().leaseToken()).isEqualTo(1);
  }

  @Test
  void theSoftTimeoutInterruptsAndIsAFailedAttempt() {
    CompletableFuture<Boolean> asked = new CompletableFuture<>();
    Millpond node =
        fleet.worker(m ->
            m.registerHandler(
                "slow",
                String.class,
                (context, p) -> {
                  if (context.attempt() == 2) {
                    return "in time";
                  }
                  try {
                    new CountDownLatch(1).await();
                  } finally {
                    asked.complete(context.stopRequested());
                  }
                  return null;
                },
                within(Duration.ofMillis(50), Duration.ofMinutes(1))));
    fleet.maintainer();
    UUID id = node.submitOrThrow(JobRequest.of("slow", ""));
    JobView job = fleet.untilState(id, JobState.SUCCEEDED);
    assertThat(asked).isCompletedWithValue(true);
    assertThat(job.attempts().getFirst().ended()).isEqualTo("timed_out");
    assertThat(job.attempts()).hasSize(2);
  }

  @Test
  void aHandlerThatOnlyLooksAtItsContextStopsAsWell() {
    Millpond node =
        fleet.worker(m ->
            m.registerHandler(
                "looks",
                String.class,
                (context, p) -> {
                  while (context.attempt() == 1) {
                    context.checkStop();
                    Thread.onSpinWait();
                  }
                  return null;
                },
                within(Duration.ofMillis(50), Duration.ofMinutes(1))));
    fleet.maintainer();
    UUID id = node.submitOrThrow(JobRequest.of("looks", ""));
    JobView job = fleet.untilState(id, JobState.SUCCEEDED);
    assertThat(job.attempts().getFirst().ended()).isEqualTo("timed_out");
  }

  @Test
  void theHardTimeoutEndsADeafAttemptFreesItsSlotAndCountsItsThread() {
    CountDownLatch release = new CountDownLatch(1);
    Millpond node =
        fleet.worker(
            fleet.config().withSlots(1),
            m ->
                m.registerHandler(
                    "deaf",
                    String.class,
                    (context, p) -> {
                      if (context.attempt() == 1) {
                        awaitDeafly(release);
                      }
                      return context.attempt();
                    },
                    within(Duration.ofMillis(50), Duration.ofMillis(150))));
    fleet.maintainer();
    UUID id = node.submitOrThrow(JobRequest.of("deaf", ""));
    JobView job = fleet.untilState(id, JobState.SUCCEEDED);
    assertThat(job.result()).isEqualTo("2");
    JobView.Attempt first = job.attempts().getFirst();
    assertThat(first.ended()).isEqualTo("timed_out");
    assertThat(Objects.requireNonNull(first.error()).message()).contains("PT0.15S");
    assertThat(fleet.gauged(SLOTS, "state", "abandoned")).isEqualTo(1);
    release.countDown();
    Fleet.until("the thread ends", () -> fleet.gauged(SLOTS, "state", "abandoned") == 0);
    Fleet.until("its slot is free once", () -> fleet.gauged(SLOTS, "state", "busy") == 0);
    assertThat(node.find(id).orElseThrow().attempts()).hasSize(2);
    fleet.assertCounted("completed", 1);
  }

  @Test
  void progressAndLogLinesAreStored() {
    CountDownLatch release = new CountDownLatch(1);
    Millpond node =
        fleet.worker(m ->
            m.registerHandler(
                "talks",
                String.class,
                (context, p) -> {
                  context.log("begins");
                  context.progress(40, "four of ten");
                  release.await();
                  context.log("ends \u0000 here");
                  return null;
                }));
    UUID id = node.submitOrThrow(JobRequest.of("talks", ""));
    Fleet.until("progress", () -> node.find(id).map(job -> job.progress() != null).orElse(false));
    assertThat(node.find(id).orElseThrow().progress())
        .isEqualTo(new JobView.Progress(40, "four of ten"));
    release.countDown();
    fleet.untilState(id, JobState.SUCCEEDED);
    assertThat(
            database.strings(
                "SELECT line_no || ' ' || line FROM millpond.job_log WHERE job_id = ? ORDER BY 1",
                id))
        .containsExactly("1 begins", "2 ends \uFFFD here");
  }

  @ParameterizedTest
  @EnumSource(Mode.class)
  void aDrainBurnsNoAttemptAndGivesBackWhatHasNotStarted(Mode mode) throws Exception {
    fleet = Fleet.on(database, mode);
    CountDownLatch started = new CountDownLatch(2);
    Millpond first =
        fleet.worker(
            fleet.config().withSlots(2),
            m ->
                m.registerHandler(
                    "work",
                    String.class,
                    (context, p) -> {
                      started.countDown();
                      new CountDownLatch(1).await();
                      return null;
                    }));
    Millpond reader = fleet.producer();
    List<UUID> ids = Fleet.submit(reader, JobRequest.of("work", ""), 30);
    assertThat(started.await(10, TimeUnit.SECONDS)).isTrue();
    assertThat(first.drain(Duration.ofSeconds(2))).isTrue();
    fleet.assertBooksClean();
    assertThat(database.outcomes()).isZero();
    assertThat(database.number("SELECT count(*) FROM millpond.job_attempt")).isZero();
    assertThat(database.depth()).isEqualTo(30);
    fleet.leave(first);
    assertThat(database.number("SELECT count(*) FROM millpond.worker")).isZero();
    fleet.worker(m -> m.registerHandler("work", String.class, (c, p) -> c.attempt()));
    fleet.maintainer();
    fleet.untilEnded(30);
    assertThat(database.strings("SELECT DISTINCT result FROM millpond.job_outcome"))
        .containsExactly("1");
    assertThat(ids).hasSize(30);
  }

  @Test
  void aDrainGivesBackADeafHandlersJobUnderANewToken() throws Exception {
    CountDownLatch started = new CountDownLatch(1);
    CountDownLatch release = new CountDownLatch(1);
    Millpond first =
        fleet.worker(m ->
            m.registerHandler(
                "deaf",
                String.class,
                (context, p) -> {
                  started.countDown();
                  awaitDeafly(release);
                  return "late";
                }));
    Millpond reader = fleet.producer();
    UUID id = reader.submitOrThrow(JobRequest.of("deaf", ""));
    assertThat(started.await(10, TimeUnit.SECONDS)).isTrue();
    boolean clean = first.drain(Duration.ofSeconds(1));
    assertThat(clean).isTrue();
    Fleet.until(
        "a new token",
        () ->
            database.number("SELECT lease_token FROM millpond.job_state WHERE job_id = ?", id)
                == 2);
    fleet.worker(m -> m.registerHandler("deaf", String.class, (c, p) -> sign(c)));
    release.countDown();
    fleet.maintainer();
    Fleet.until("the end", () -> reader.find(id).orElseThrow().state() == JobState.SUCCEEDED);
    assertThat(reader.find(id).orElseThrow().result()).isEqualTo("\"attempt 1, token 2\"");
  }

  private static String sign(JobContext context) {
    return "attempt " + context.attempt() + ", token " + context.leaseToken();
  }

  private static void awaitDeafly(CountDownLatch latch) {
    boolean open = false;
    while (!open) {
      try {
        open = latch.await(20, TimeUnit.SECONDS);
      } catch (InterruptedException e) {
        open = false;
      }
    }
  }
}
