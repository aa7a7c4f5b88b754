package dev.millpond.engine.query;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.api.JobOptions;
import dev.millpond.api.JobRequest;
import dev.millpond.api.JobState;
import dev.millpond.api.RetryJobException;
import dev.millpond.engine.Database;
import dev.millpond.engine.Fleet;
import dev.millpond.engine.Fleet.Mode;
import dev.millpond.engine.Millpond;
import dev.millpond.engine.flow.Limit;
import dev.millpond.engine.flow.Limit.Rate;
import dev.millpond.engine.flow.Pause.Scope;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What is said of jobs that do not run, in a real fleet. */
class WhyIT {
  private Database database;
  private Fleet fleet;
  private Millpond producer;

  @BeforeEach
  void open() {
    database = Database.fresh();
    fleet = Fleet.on(database, Mode.POSTGRES);
    producer = fleet.producer();
  }

  @AfterEach
  void shut() {
    fleet.end();
    database.close();
  }

  private UUID submit(JobRequest request) {
    return Fleet.submit(producer, request, 1).getFirst();
  }

  private List<Hold> holds(UUID job) {
    return producer.why(job).orElseThrow().holds();
  }

  @Test
  void aJobWhoseKindNobodyRunsSaysSoAndHowManyAreBeforeIt() {
    UUID first = submit(JobRequest.of("unknown", 1));
    Fleet.submit(producer, JobRequest.of("other", 2), 3);
    UUID last = submit(JobRequest.of("unknown", 3));

    assertThat(holds(first)).containsExactly(new Hold.NoWorker("unknown", 0));
    assertThat(holds(last))
        .containsExactly(
            new Hold.NoWorker("unknown", 0), new Hold.Behind("default", "normal", 4, false, 10));
    assertThat(producer.why(UUID.randomUUID())).isEmpty();
    assertThat(producer.why(last).orElseThrow().state()).isEqualTo(JobState.RUNNABLE);
  }

  @Test
  void aDrainedWorkerIsCountedApart() {
    Millpond worker = worker(m -> m.registerHandler("kind", Integer.class, (context, n) -> n));
    producer.workers().drain(worker.nodeId(), null, null);
    UUID job = submit(JobRequest.of("kind", 1));
    Fleet.until(
        "its batch is given back", () -> holds(job).equals(List.of(new Hold.NoWorker("kind", 1))));
    producer.workers().resume(worker.nodeId());
    fleet.untilState(job, JobState.SUCCEEDED);
    assertThat(holds(job)).containsExactly(new Hold.Over(JobState.SUCCEEDED));
  }

  @Test
  void aJobWaitsForItsTimeForItsRetryOrForASlot() {
    CountDownLatch release = new CountDownLatch(1);
    fleet.maintainer();
    worker(m ->
        m.registerHandler(
                "held",
                Integer.class,
                (context, n) -> {
                  release.await();
                  return n;
                })
            .registerHandler(
                "flaky",
                Integer.class,
                (context, n) -> {
                  throw new RetryJobException("later", Duration.ofHours(1));
                }));
    UUID delayed = submit(JobRequest.of("held", 1).withDelay(Duration.ofHours(1)));
    assertThat(holds(delayed))
        .singleElement()
        .isInstanceOfSatisfying(Hold.Delayed.class, hold -> assertThat(hold.retry()).isFalse());
    UUID flaky = submit(JobRequest.of("flaky", 1));
    fleet.untilState(flaky, JobState.SCHEDULED);
    assertThat(holds(flaky))
        .singleElement()
        .isInstanceOfSatisfying(
            Hold.Delayed.class,
            hold -> {
              assertThat(hold.retry()).isTrue();
              assertThat(hold.attempt()).isEqualTo(2);
            });
    UUID running = submit(JobRequest.of("held", 2));
    fleet.untilState(running, JobState.RUNNING);
    assertThat(holds(running)).containsExactly(new Hold.Running());
    release.countDown();
    fleet.untilState(running, JobState.SUCCEEDED);
  }

  @Test
  void whatIsPausedSaysByWhomAndWhy() {
    producer.flow().pause(Scope.QUEUE, "default", "the disk is full", "ann");
    producer.flow().pause(Scope.TAG, "nightly", null, null);
    // Not before: for half a second they would not know of it, and start the job.
    worker(m -> m.registerHandler("kind", Integer.class, (context, n) -> n));
    fleet.maintainer();
    UUID job = submit(JobRequest.of("kind", 1).withOptions(JobOptions.DEFAULT.withTags("nightly")));

    assertThat(holds(job))
        .first()
        .isInstanceOfSatisfying(
            Hold.Paused.class,
            hold -> {
              assertThat(hold.pause().by()).isEqualTo("ann");
              assertThat(hold.text())
                  .startsWith("Its queue default is paused by ann since ")
                  .endsWith(": the disk is full");
            });
    producer.flow().resume(Scope.QUEUE, "default");
    fleet.untilState(job, JobState.WAITING);
    assertThat(holds(job))
        .first()
        .isInstanceOfSatisfying(
            Hold.Paused.class, hold -> assertThat(hold.pause().scope()).isEqualTo(Scope.TAG));
    producer.flow().resume(Scope.TAG, "nightly");
    fleet.untilState(job, JobState.SUCCEEDED);
  }

  @Test
  void aFullLimitNamesWhoHoldsIt() {
    CountDownLatch release = new CountDownLatch(1);
    fleet.maintainer();
    producer.flow().setLimit(Scope.QUEUE, "default", new Limit(1, null));
    producer
        .flow()
        .setLimit(Scope.KIND, "rare", new Limit(null, new Rate(1, Duration.ofHours(1), 1)));
    fleet.worker(
        fleet.config().withSlots(4),
        m ->
            m.registerHandler(
                    "held",
                    Integer.class,
                    (context, n) -> {
                      release.await();
                      return n;
                    })
                .registerHandler("rare", Integer.class, (context, n) -> n));
    UUID running = submit(JobRequest.of("held", 1));
    fleet.untilState(running, JobState.RUNNING);
    UUID waits = submit(JobRequest.of("held", 2));
    assertThat(holds(waits))
        .contains(new Hold.LimitFull(Scope.QUEUE, "default", 1, List.of(running)));
    UUID first = submit(JobRequest.of("rare", 3).withQueue("other"));
    fleet.untilState(first, JobState.SUCCEEDED);
    UUID second = submit(JobRequest.of("rare", 4).withQueue("other"));
    assertThat(holds(second))
        .first()
        .isInstanceOfSatisfying(
            Hold.RateSpent.class, hold -> assertThat(hold.name()).isEqualTo("rare"));
    release.countDown();
    fleet.untilState(waits, JobState.SUCCEEDED);
    producer.flow().resetLimit(Scope.KIND, "rare");
    fleet.untilState(second, JobState.SUCCEEDED);
  }

  private Millpond worker(Consumer<Millpond> handlers) {
    return fleet.worker(fleet.config().withSlots(1), handlers);
  }
}
