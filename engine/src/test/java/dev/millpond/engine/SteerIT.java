package dev.millpond.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.millpond.api.Backoff;
import dev.millpond.api.CancelResult;
import dev.millpond.api.HandlerOptions;
import dev.millpond.api.InvalidJobException;
import dev.millpond.api.JobOptions;
import dev.millpond.api.JobRequest;
import dev.millpond.api.JobRequest.Start;
import dev.millpond.api.JobState;
import dev.millpond.api.JobView;
import dev.millpond.api.SteerResult;
import dev.millpond.engine.Fleet.Mode;
import dev.millpond.engine.query.Change;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Run time and priority class of jobs that have not started can be changed; others are left alone.
 */
class SteerIT {
  private static final Duration HOUR = Duration.ofHours(1);
  private static final JobRequest NOOP = JobRequest.of("noop", "");

  private static Database database;
  private Fleet fleet;
  private Millpond node;

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
    node = fleet.producer();
  }

  @AfterEach
  void stop() {
    fleet.end();
  }

  private JobView view(UUID id) {
    return node.find(id).orElseThrow();
  }

  private void work() {
    fleet.worker(m -> m.registerHandler("noop", String.class, (c, p) -> null));
  }

  private long depth(String priorityClass) {
    return database.number(
        "SELECT coalesce(sum(delta), 0) FROM millpond.queue_depth WHERE class = ?", priorityClass);
  }

  @Test
  void aScheduledJobRunsNow() {
    UUID id = node.submitOrThrow(NOOP.withDelay(HOUR));
    assertThat(node.runNow(id)).isEqualTo(new SteerResult.Done());
    assertThat(view(id).state()).isEqualTo(JobState.RUNNABLE);
    assertThat(database.depth()).isEqualTo(1);
    assertThat(node.runNow(id)).as("again").isEqualTo(new SteerResult.Done());
    assertThat(database.number("SELECT count(*) FROM millpond.dispatch")).isEqualTo(1);
    work();
    fleet.untilState(id, JobState.SUCCEEDED);
    assertThat(database.depth()).isZero();
  }

  @Test
  void aJobThatWaitsForItsNextAttemptRunsNowAsThatAttempt() {
    fleet.worker(m ->
        m.registerHandler(
            "flaky",
            String.class,
            (context, p) -> {
              if (context.attempt() == 1) {
                throw new IllegalStateException("once");
              }
              return context.attempt();
            },
            HandlerOptions.DEFAULT.withBackoff(new Backoff(HOUR, HOUR))));
    UUID id = node.submitOrThrow(JobRequest.of("flaky", ""));
    JobView waits = fleet.untilState(id, JobState.SCHEDULED);
    assertThat(waits.waitReason()).isEqualTo("retry");
    assertThat(node.runNow(id)).isEqualTo(new SteerResult.Done());
    assertThat(fleet.untilState(id, JobState.SUCCEEDED).result()).isEqualTo("2");
  }

  @Test
  void aScheduledJobIsScheduledAnew() {
    UUID id = node.submitOrThrow(NOOP.withDelay(HOUR));
    Instant later = Instant.parse("2030-01-01T00:00:00.000001Z");
    assertThat(node.reschedule(id, new Start.At(later))).isEqualTo(new SteerResult.Done());
    assertThat(view(id).timing().runAt()).isEqualTo(later);
    assertThat(node.reschedule(id, new Start.In(HOUR))).isEqualTo(new SteerResult.Done());
    assertThat(view(id).timing().runAt())
        .isBetween(Instant.now().plusSeconds(3_500), Instant.now().plusSeconds(3_700));
    assertThat(node.reschedule(id, new Start.At(Instant.EPOCH)))
        .as("the past means now")
        .isEqualTo(new SteerResult.Done());
    assertThat(view(id).state()).isEqualTo(JobState.RUNNABLE);
  }

  @Test
  void aRunnableJobIsPutOffAndTheRestOfItsBatchKeepsItsPlace() {
    List<UUID> ids = Fleet.submit(node, NOOP, 4);
    List<UUID> after = Fleet.submit(node, NOOP, 4);
    UUID id = ids.get(1);
    assertThat(node.reschedule(id, new Start.In(HOUR))).isEqualTo(new SteerResult.Done());
    assertThat(view(id).state()).isEqualTo(JobState.SCHEDULED);
    assertThat(database.depth()).isEqualTo(7);
    assertThat(database.strings("SELECT unnest(job_ids)::text FROM millpond.dispatch ORDER BY id"))
        .containsExactlyElementsOf(
            List.of(
                    ids.get(0),
                    ids.get(2),
                    ids.get(3),
                    after.get(0),
                    after.get(1),
                    after.get(2),
                    after.get(3))
                .stream()
                .map(UUID::toString)
                .toList());
    assertThat(node.runNow(id)).isEqualTo(new SteerResult.Done());
    work();
    fleet.untilEnded(8);
    assertThat(database.depth()).isZero();
  }

  @Test
  void aRunnableJobChangesItsClassAndKeepsItsAge() {
    List<UUID> ids = Fleet.submit(node, NOOP, 3);
    UUID urgent = node.submitOrThrow(NOOP.withPriorityClass("critical"));
    UUID id = ids.get(1);
    assertThat(node.changeClass(id, "critical")).isEqualTo(new SteerResult.Done());
    assertThat(view(id).request().priorityClass()).isEqualTo("critical");
    assertThat(view(id).state()).isEqualTo(JobState.RUNNABLE);
    assertThat(depth("normal")).isEqualTo(2);
    assertThat(depth("critical")).isEqualTo(2);
    assertThat(
            database.strings(
                "SELECT unnest(job_ids)::text FROM millpond.dispatch WHERE class = 'critical'"
                    + " ORDER BY id"))
        .containsExactly(id.toString(), urgent.toString());
    fleet.assertBooksClean();
    assertThat(node.changeClass(id, "high")).as("again").isEqualTo(new SteerResult.Done());
    assertThat(depth("critical")).isEqualTo(1);
    assertThat(depth("high")).isEqualTo(1);
    fleet.assertBooksClean();
    work();
    fleet.untilEnded(4);
    for (String each : List.of("normal", "high", "critical")) {
      assertThat(depth(each)).as(each).isZero();
    }
    assertThat(database.number("SELECT count(*) FROM millpond.job_state")).isZero();
  }

  @Test
  void aScheduledJobTravelsInItsNewClass() {
    UUID id = node.submitOrThrow(NOOP.withDelay(HOUR));
    assertThat(node.changeClass(id, "high")).isEqualTo(new SteerResult.Done());
    assertThat(view(id).request().priorityClass()).isEqualTo("high");
    assertThat(node.runNow(id)).isEqualTo(new SteerResult.Done());
    assertThat(depth("high")).isEqualTo(1);
    assertThat(depth("normal")).isZero();
  }

  @Test
  void classAndRunTimeChangeTogether() {
    UUID id = node.submitOrThrow(NOOP);
    assertThat(node.change(id, new Change("critical", new Start.In(HOUR))))
        .isEqualTo(new SteerResult.Done());
    assertThat(view(id).state()).isEqualTo(JobState.SCHEDULED);
    assertThat(view(id).request().priorityClass()).isEqualTo("critical");
    assertThat(database.depth()).isZero();
    assertThat(node.change(id, new Change("high", new Start.Now())))
        .isEqualTo(new SteerResult.Done());
    assertThat(depth("high")).isEqualTo(1);
  }

  @Test
  void aJobWithAChangedClassIsCancelledInThatClass() {
    UUID id = Fleet.submit(node, NOOP, 2).getFirst();
    node.changeClass(id, "critical");
    assertThat(node.cancel(id)).isEqualTo(new CancelResult.Cancelled());
    assertThat(depth("critical")).isZero();
    assertThat(depth("normal")).isEqualTo(1);
    work();
    fleet.untilEnded(2);
  }

  @Test
  void aJobThatFailsInItsNewClassIsTriedAgainInIt() {
    ConcurrentLinkedQueue<Integer> attempts = new ConcurrentLinkedQueue<>();
    UUID id = node.submitOrThrow(JobRequest.of("flaky", ""));
    node.changeClass(id, "high");
    fleet.worker(m ->
        m.registerHandler(
            "flaky",
            String.class,
            (context, p) -> {
              attempts.add(context.attempt());
              throw new IllegalStateException("always");
            },
            HandlerOptions.DEFAULT.withBackoff(new Backoff(HOUR, HOUR))));
    assertThat(fleet.untilState(id, JobState.SCHEDULED).request().priorityClass())
        .isEqualTo("high");
    node.runNow(id);
    Fleet.until("a second attempt", () -> attempts.size() == 2);
    fleet.untilState(id, JobState.SCHEDULED);
    assertThat(database.depth()).isZero();
  }

  @Test
  void aRunningJobAnEndedOneAndAnUnknownOneAreLeftAlone() throws Exception {
    CountDownLatch started = new CountDownLatch(1);
    CountDownLatch release = new CountDownLatch(1);
    fleet.worker(m -> {
      m.registerHandler("noop", String.class, (c, p) -> null);
      m.registerHandler(
          "long",
          String.class,
          (context, p) -> {
            started.countDown();
            release.await();
            return null;
          });
    });
    UUID ended = node.submitOrThrow(NOOP);
    fleet.untilState(ended, JobState.SUCCEEDED);
    SteerResult wrong = new SteerResult.WrongState(JobState.SUCCEEDED);
    assertThat(node.runNow(ended)).isEqualTo(wrong);
    assertThat(node.reschedule(ended, new Start.In(HOUR))).isEqualTo(wrong);
    assertThat(node.changeClass(ended, "high")).isEqualTo(wrong);
    UUID unknown = UUID.randomUUID();
    assertThat(node.runNow(unknown)).isEqualTo(new SteerResult.NotFound());
    assertThat(node.changeClass(unknown, "high")).isEqualTo(new SteerResult.NotFound());

    UUID running = node.submitOrThrow(JobRequest.of("long", ""));
    assertThat(started.await(10, TimeUnit.SECONDS)).isTrue();
    assertThat(node.changeClass(running, "high"))
        .isIn(new SteerResult.OnItsWay(), new SteerResult.WrongState(JobState.RUNNING));
    fleet.untilState(running, JobState.RUNNING);
    SteerResult runs = new SteerResult.WrongState(JobState.RUNNING);
    assertThat(node.changeClass(running, "high")).isEqualTo(runs);
    assertThat(node.reschedule(running, new Start.In(HOUR))).isEqualTo(runs);
    assertThat(node.runNow(running)).isEqualTo(runs);
    release.countDown();
    fleet.untilState(running, JobState.SUCCEEDED);
  }

  @Test
  void aJobOnItsStreamIsOnItsWay() {
    fleet.close();
    fleet = Fleet.on(database, Mode.STREAMS);
    node = fleet.patientProducer();
    UUID id = node.submitOrThrow(NOOP);
    assertThat(node.changeClass(id, "high")).isEqualTo(new SteerResult.OnItsWay());
    assertThat(node.reschedule(id, new Start.In(HOUR))).isEqualTo(new SteerResult.OnItsWay());
    assertThat(depth("normal")).isEqualTo(1);
    work();
    fleet.untilEnded(1);
  }

  @Test
  void aDeadJobIsNotChangedAndAnotherLifeIsInItsClass() {
    fleet.worker(m ->
        m.registerHandler(
            "flaky",
            String.class,
            (context, p) -> {
              throw new IllegalStateException("always");
            },
            HandlerOptions.DEFAULT.withMaxAttempts(1)));
    UUID id = node.submitOrThrow(JobRequest.of("flaky", "").withDelay(HOUR));
    node.change(id, new Change("high", new Start.Now()));
    fleet.untilState(id, JobState.DEAD);
    assertThat(node.changeClass(id, "normal")).isEqualTo(new SteerResult.WrongState(JobState.DEAD));
    node.redrive(id);
    Fleet.until(
        "the second life",
        () -> view(id).attempts().size() == 2 && view(id).state() == JobState.DEAD);
    assertThat(view(id).request().priorityClass()).isEqualTo("high");
    assertThat(database.depth()).isZero();
  }

  @Test
  void valuesOutOfTheirRangeAreRefused() {
    UUID id = node.submitOrThrow(NOOP.withDelay(HOUR));
    assertThatExceptionOfType(InvalidJobException.class)
        .isThrownBy(() -> node.changeClass(id, "urgent"))
        .satisfies(e -> assertThat(e.pointer()).isEqualTo("/priorityClass"));
    assertThatExceptionOfType(InvalidJobException.class)
        .isThrownBy(() -> node.reschedule(id, new Start.In(Duration.ofDays(4_000))))
        .satisfies(e -> assertThat(e.pointer()).isEqualTo("/delay"));
    UUID expires = node.submitOrThrow(NOOP.withOptions(JobOptions.DEFAULT.withExpiresIn(HOUR)));
    assertThatExceptionOfType(InvalidJobException.class)
        .isThrownBy(() -> node.reschedule(expires, new Start.In(HOUR.multipliedBy(2))))
        .satisfies(e -> assertThat(e.pointer()).isEqualTo("/delay"));
  }
}
