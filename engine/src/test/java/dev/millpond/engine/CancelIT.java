package dev.millpond.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.api.CancelResult;
import dev.millpond.api.FatalJobException;
import dev.millpond.api.HandlerOptions;
import dev.millpond.api.JobRequest;
import dev.millpond.api.JobState;
import dev.millpond.api.JobView;
import dev.millpond.engine.Fleet.Mode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Whoever inserts the outcome first has ended the job. */
class CancelIT {
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

  @ParameterizedTest
  @EnumSource(Mode.class)
  void aWaitingJobNeverRunsAndItsBatchGoesOn(Mode mode) {
    fleet = Fleet.on(database, mode);
    Millpond node = fleet.producer();
    List<UUID> ids = Fleet.submit(node, JobRequest.of("noop", ""), 8);
    UUID id = ids.get(2);
    assertThat(node.cancel(id)).isIn(new CancelResult.Cancelled(), new CancelResult.Requested());
    assertThat(node.find(id).orElseThrow().state()).isEqualTo(JobState.CANCELLED);
    assertThat(node.cancel(id)).isEqualTo(new CancelResult.WrongState(JobState.CANCELLED));
    assertThat(database.depth()).isEqualTo(7);
    fleet.worker(m ->
        m.registerHandler(
            "noop",
            String.class,
            (c, p) -> {
              assertThat(c.jobId()).isNotEqualTo(id);
              return null;
            }));
    fleet.maintainer();
    fleet.untilEnded(8);
    Fleet.until("all written", () -> database.depth() == 0);
    fleet.assertCounted("completed", 7);
  }

  @Test
  void aScheduledJobEndsAtOnce() {
    Millpond node = fleet.producer();
    UUID id = node.submitOrThrow(JobRequest.of("noop", "").withDelay(Duration.ofHours(1)));
    assertThat(node.cancel(id)).isEqualTo(new CancelResult.Cancelled());
    assertThat(node.find(id).orElseThrow().state()).isEqualTo(JobState.CANCELLED);
    assertThat(database.number("SELECT count(*) FROM millpond.job_state")).isZero();
  }

  @Test
  void aRunningJobIsToldAndEndsCancelled() throws Exception {
    CountDownLatch interrupted = new CountDownLatch(1);
    Millpond node =
        fleet.worker(m ->
            m.registerHandler(
                "long",
                String.class,
                (context, p) -> {
                  try {
                    new CountDownLatch(1).await();
                  } catch (InterruptedException e) {
                    interrupted.countDown();
                    throw e;
                  }
                  return null;
                }));
    UUID id = node.submitOrThrow(JobRequest.of("long", ""));
    fleet.untilState(id, JobState.RUNNING);
    assertThat(node.cancel(id)).isEqualTo(new CancelResult.Requested());
    assertThat(interrupted.await(10, TimeUnit.SECONDS)).isTrue();
    JobView job = fleet.untilState(id, JobState.CANCELLED);
    assertThat(job.attempts().getFirst().ended()).isEqualTo("cancelled");
    fleet.assertCounted("cancelled", 1);
  }

  @Test
  void aJobThatHasJustStartedIsToldByTheNotice() throws Exception {
    CountDownLatch started = new CountDownLatch(1);
    CountDownLatch interrupted = new CountDownLatch(1);
    Timing slowToSettle =
        new Timing(
            Duration.ofSeconds(10),
            Duration.ofMillis(100),
            Duration.ofSeconds(3),
            Duration.ofMillis(100));
    Millpond node =
        fleet.worker(
            fleet.config().withTiming(slowToSettle),
            m ->
                m.registerHandler(
                    "long",
                    String.class,
                    (context, p) -> {
                      started.countDown();
                      try {
                        new CountDownLatch(1).await();
                      } catch (InterruptedException e) {
                        interrupted.countDown();
                        throw e;
                      }
                      return null;
                    }));
    UUID id = node.submitOrThrow(JobRequest.of("long", ""));
    assertThat(started.await(10, TimeUnit.SECONDS)).isTrue();
    assertThat(node.cancel(id)).isEqualTo(new CancelResult.Requested());
    assertThat(interrupted.await(10, TimeUnit.SECONDS)).isTrue();
    assertThat(node.find(id).orElseThrow().state()).isEqualTo(JobState.CANCELLED);
    Fleet.until(
        "the batch is over", () -> database.number("SELECT count(*) FROM millpond.dispatch") == 0);
  }

  @Test
  void aJobThatHasEndedOrIsDeadOrUnknownIsNotCancelled() {
    Millpond node =
        fleet.worker(m -> {
          m.registerHandler("noop", String.class, (c, p) -> null);
          m.registerHandler(
              "fatal",
              String.class,
              (c, p) -> {
                throw new FatalJobException("no");
              });
        });
    UUID ended = node.submitOrThrow(JobRequest.of("noop", ""));
    UUID dead = node.submitOrThrow(JobRequest.of("fatal", ""));
    fleet.untilState(ended, JobState.SUCCEEDED);
    fleet.untilState(dead, JobState.DEAD);
    assertThat(node.cancel(ended)).isEqualTo(new CancelResult.WrongState(JobState.SUCCEEDED));
    assertThat(node.cancel(dead)).isEqualTo(new CancelResult.WrongState(JobState.DEAD));
    assertThat(node.cancel(UUID.randomUUID())).isEqualTo(new CancelResult.NotFound());
  }

  /** Cancellations at every moment of a run, also of a failing one: the books stay exact. */
  @ParameterizedTest
  @EnumSource(Mode.class)
  void cancellationsThatRaceWithRunsLeaveOneOutcomeEach(Mode mode) {
    fleet = Fleet.on(database, mode);
    Millpond node =
        fleet.worker(m ->
            m.registerHandler(
                "races",
                Integer.class,
                (context, n) -> {
                  if (n % 3 == 0 && context.attempt() == 1) {
                    throw new IllegalStateException("once");
                  }
                  return n;
                },
                HandlerOptions.DEFAULT.withBackoff(
                    new dev.millpond.api.Backoff(Duration.ofMillis(1), Duration.ofMillis(5)))));
    fleet.maintainer();
    int rounds = 15;
    int jobs = 60;
    for (int round = 0; round < rounds; round++) {
      List<JobRequest> requests = new ArrayList<>();
      for (int n = 0; n < jobs; n++) {
        requests.add(JobRequest.of("races", n));
      }
      Fleet.submit(node, requests).forEach(node::cancel);
    }
    fleet.untilEnded((long) rounds * jobs);
    assertThat(
            database.number(
                "SELECT count(*) FROM millpond.job_outcome WHERE outcome = 'cancelled'"))
        .isPositive();
    Fleet.until(
        "nothing is on its way",
        () -> database.number("SELECT count(*) FROM millpond.dispatch") == 0);
    assertThat(database.depth()).isZero();
  }
}
