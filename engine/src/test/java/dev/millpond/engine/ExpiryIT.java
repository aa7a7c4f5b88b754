package dev.millpond.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.api.Backoff;
import dev.millpond.api.HandlerOptions;
import dev.millpond.api.JobOptions;
import dev.millpond.api.JobRequest;
import dev.millpond.api.JobState;
import dev.millpond.api.JobView;
import dev.millpond.api.SubmitResult;
import dev.millpond.engine.Fleet.Mode;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A job that has not started by its expiry does not start; one that has started goes on. */
class ExpiryIT {
  private static final JobOptions SOON = JobOptions.DEFAULT.withExpiresIn(Duration.ofMillis(200));

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

  private static JobRequest noop(JobOptions options) {
    return JobRequest.of("noop", "").withOptions(options);
  }

  private void untilExpired() {
    Fleet.until(
        "all expired",
        () ->
            database.number("SELECT count(*) FROM millpond.job_expiry WHERE expires_at > now()")
                == 0);
  }

  private void assertExpired(JobView job) {
    assertThat(job.state()).isEqualTo(JobState.CANCELLED);
    assertThat(job.timing().startedAt()).isNull();
    JobView.Attempt last = job.attempts().getLast();
    assertThat(last.ended()).isEqualTo("cancelled");
    assertThat(last.startedAt()).isNull();
    assertThat(job.error()).isNotNull();
    assertThat(job.error().type()).isEqualTo("expired");
    assertThat(job.error().message()).contains("not to start after 20");
  }

  @Test
  void aJobThatDoesNotExpireHasNoRowForIt() {
    Millpond node = fleet.producer();
    node.submitOrThrow(noop(JobOptions.DEFAULT));
    UUID id = node.submitOrThrow(noop(JobOptions.DEFAULT.withExpiresIn(Duration.ofHours(1))));
    assertThat(database.ids("SELECT job_id FROM millpond.job_expiry")).containsExactly(id);
    assertThat(node.find(id).orElseThrow().request().options().expiry())
        .isInstanceOfSatisfying(
            JobOptions.Expiry.At.class,
            at ->
                assertThat(at.expiresAt())
                    .isBetween(Instant.now().plusSeconds(3_500), Instant.now().plusSeconds(3_700)));
  }

  @ParameterizedTest
  @EnumSource(Mode.class)
  void aWorkerThatComesTooLateDoesNotRunTheJobAndRunsTheRestOfItsBatch(Mode mode) {
    fleet.close();
    fleet = Fleet.on(database, mode);
    Millpond node = fleet.producer();
    List<UUID> ids =
        Fleet.submit(node, List.of(noop(JobOptions.DEFAULT), noop(SOON), noop(JobOptions.DEFAULT)));
    untilExpired();
    AtomicInteger runs = new AtomicInteger();
    fleet.worker(
        m -> m.registerHandler("noop", String.class, (context, p) -> runs.incrementAndGet()));
    fleet.untilEnded(3);
    assertThat(runs).hasValue(2);
    assertExpired(node.find(ids.get(1)).orElseThrow());
    assertThat(node.find(ids.get(2)).orElseThrow().state()).isEqualTo(JobState.SUCCEEDED);
    fleet.assertCounted("cancelled", 1);
    assertThat(database.depth()).isZero();
    fleet.maintainer();
    Fleet.until(
        "the row is swept", () -> database.number("SELECT count(*) FROM millpond.job_expiry") == 0);
  }

  @Test
  void aKeyedJobExpiresToo() {
    Millpond node = fleet.producer();
    UUID id = node.submitOrThrow(noop(SOON.withIdempotencyKey("a")));
    untilExpired();
    fleet.worker(m -> m.registerHandler("noop", String.class, (context, p) -> null));
    assertExpired(fleet.untilState(id, JobState.CANCELLED));
  }

  @Test
  void aKeyedSubmitRepeatedAfterItsExpiryGivesTheSameJob() {
    Millpond node = fleet.producer();
    JobOptions options =
        JobOptions.DEFAULT
            .withExpiresAt(Instant.now().plusMillis(500))
            .withIdempotencyKey("repeated");
    UUID id = node.submitOrThrow(noop(options));
    untilExpired();
    assertThat(node.submit(noop(options))).isEqualTo(new SubmitResult.Existing(id));
    fleet.worker(m -> m.registerHandler("noop", String.class, (context, p) -> null));
    assertExpired(fleet.untilState(id, JobState.CANCELLED));
  }

  @Test
  void aJobThatNobodyClaimsIsEndedByTheMaintenance() {
    Millpond node = fleet.maintainer();
    UUID waiting = node.submitOrThrow(noop(SOON));
    UUID scheduled =
        node.submitOrThrow(
            noop(JobOptions.DEFAULT.withExpiresIn(Duration.ofMillis(400)))
                .withDelay(Duration.ofMillis(300)));
    assertExpired(fleet.untilState(waiting, JobState.CANCELLED));
    assertExpired(fleet.untilState(scheduled, JobState.CANCELLED));
    assertThat(database.depth()).isZero();
    assertThat(database.number("SELECT count(*) FROM millpond.job_expiry")).isZero();
    assertThat(database.number("SELECT count(*) FROM millpond.job_state")).isZero();
    fleet.assertCounted("cancelled", 2);
  }

  @ParameterizedTest
  @EnumSource(Mode.class)
  void aJobThatHasStartedInTimeGoesOn(Mode mode) throws Exception {
    fleet.close();
    fleet = Fleet.on(database, mode);
    CountDownLatch started = new CountDownLatch(1);
    CountDownLatch release = new CountDownLatch(1);
    fleet.maintainer();
    Millpond node =
        fleet.worker(m ->
            m.registerHandler(
                "long",
                String.class,
                (context, p) -> {
                  started.countDown();
                  release.await();
                  return "done";
                }));
    UUID id =
        node.submitOrThrow(
            JobRequest.of("long", "")
                .withOptions(JobOptions.DEFAULT.withExpiresIn(Duration.ofSeconds(4))));
    assertThat(started.await(10, TimeUnit.SECONDS)).isTrue();
    untilExpired();
    Fleet.until(
        "the expirer has looked",
        () ->
            database.number("SELECT count(*) FROM millpond.job_expiry WHERE look_at > now()") == 1);
    release.countDown();
    assertThat(fleet.untilState(id, JobState.SUCCEEDED).result()).isEqualTo("\"done\"");
  }

  @Test
  void aRetryThatWouldComeTooLateIsNotMade() {
    fleet.maintainer();
    AtomicInteger runs = new AtomicInteger();
    Millpond node =
        fleet.worker(m ->
            m.registerHandler(
                "flaky",
                String.class,
                (context, p) -> {
                  runs.incrementAndGet();
                  throw new IllegalStateException("always");
                },
                HandlerOptions.DEFAULT.withBackoff(
                    new Backoff(Duration.ofHours(1), Duration.ofHours(1)))));
    UUID id =
        node.submitOrThrow(
            JobRequest.of("flaky", "")
                .withOptions(JobOptions.DEFAULT.withExpiresIn(Duration.ofSeconds(2))));
    JobView job = fleet.untilState(id, JobState.CANCELLED);
    assertThat(runs).hasValue(1);
    assertThat(job.attempts())
        .extracting(JobView.Attempt::ended)
        .containsExactly("failed", "cancelled");
    assertThat(job.attempt()).isEqualTo(2);
    assertExpired(job);
  }
}
