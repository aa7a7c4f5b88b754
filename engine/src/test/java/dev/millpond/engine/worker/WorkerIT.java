package dev.millpond.engine.worker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.api.Backoff;
import dev.millpond.api.FatalJobException;
import dev.millpond.api.HandlerOptions;
import dev.millpond.api.HandlerOptions.Executor;
import dev.millpond.api.JobOptions;
import dev.millpond.api.JobRequest;
import dev.millpond.api.JobState;
import dev.millpond.api.JobView;
import dev.millpond.api.JobView.JobError;
import dev.millpond.api.Limits;
import dev.millpond.api.RedriveResult;
import dev.millpond.api.RetryJobException;
import dev.millpond.engine.Database;
import dev.millpond.engine.Fleet;
import dev.millpond.engine.Fleet.Mode;
import dev.millpond.engine.Millpond;
import dev.millpond.engine.query.DeadLetterFilter;
import dev.millpond.engine.query.DeadLetterView;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** How jobs run and how they end. */
class WorkerIT {
  private static final HandlerOptions QUICK_RETRY =
      HandlerOptions.DEFAULT.withBackoff(new Backoff(Duration.ofMillis(1), Duration.ofMillis(2)));

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

  record Point(int x, int y) {}

  @ParameterizedTest
  @EnumSource(Mode.class)
  void aResultIsStoredWithTheAttemptThatMadeIt(Mode mode) {
    fleet = Fleet.on(database, mode);
    Millpond node =
        fleet.worker(m ->
            m.registerHandler(
                "swap",
                Point.class,
                (context, point) -> {
                  assertThat(context.attempt()).isEqualTo(1);
                  assertThat(context.leaseToken()).isEqualTo(1);
                  assertThat(context.kind()).isEqualTo("swap");
                  assertThat(context.queue()).isEqualTo("geometry");
                  assertThat(context.stopRequested()).isFalse();
                  return new Point(point.y(), point.x());
                }));
    UUID id = node.submitOrThrow(JobRequest.of("swap", new Point(3, 4)).withQueue("geometry"));
    JobView job = fleet.untilState(id, JobState.SUCCEEDED);
    assertThat(job.result()).isEqualTo("{\"x\":4,\"y\":3}");
    assertThat(job.error()).isNull();
    assertThat(job.attempts()).hasSize(1);
    JobView.Attempt attempt = job.attempts().getFirst();
    assertThat(attempt.ended()).isEqualTo("succeeded");
    assertThat(attempt.workerId()).isEqualTo(node.nodeId());
    assertThat(job.timing().createdAt()).isBeforeOrEqualTo(job.timing().endedAt());
    assertThat(job.timing().startedAt()).isNotNull();
  }

  @Test
  void aResultThatIsNotWantedIsNotKept() {
    Millpond node = fleet.worker(m -> m.registerHandler("say", String.class, (c, p) -> p));
    UUID id =
        node.submitOrThrow(
            JobRequest.of("say", "hush").withOptions(JobOptions.DEFAULT.withKeepResult(false)));
    assertThat(fleet.untilState(id, JobState.SUCCEEDED).result()).isNull();
  }

  @Test
  void everyFailedAttemptIsKeptWithItsErrorAndToken() {
    Millpond node =
        fleet.worker(m ->
            m.registerHandler(
                "moody",
                String.class,
                (context, p) -> {
                  if (context.attempt() < 4) {
                    throw new IllegalStateException("mood " + context.attempt());
                  }
                  return "fine";
                },
                QUICK_RETRY));
    fleet.maintainer();
    UUID id = node.submitOrThrow(JobRequest.of("moody", ""));
    JobView job = fleet.untilState(id, JobState.SUCCEEDED);
    assertThat(job.attempt()).isEqualTo(4);
    assertThat(job.attempts())
        .extracting(JobView.Attempt::attempt, JobView.Attempt::leaseToken, JobView.Attempt::ended)
        .containsExactly(
            org.assertj.core.groups.Tuple.tuple(1, 1, "failed"),
            org.assertj.core.groups.Tuple.tuple(2, 2, "failed"),
            org.assertj.core.groups.Tuple.tuple(3, 3, "failed"),
            org.assertj.core.groups.Tuple.tuple(4, 4, "succeeded"));
    JobError second = Objects.requireNonNull(job.attempts().get(1).error());
    assertThat(second.type()).isEqualTo("java.lang.IllegalStateException");
    assertThat(second.message()).isEqualTo("mood 2");
    assertThat(second.stack()).contains("WorkerIT");
    fleet.assertCounted("failed", 3);
    fleet.assertCounted("retried", 3);
    fleet.assertCounted("completed", 1);
  }

  @Test
  void aHandlerMayChooseTheWaitBeforeTheNextAttempt() {
    Millpond node =
        fleet.worker(m ->
            m.registerHandler(
                "later",
                String.class,
                (context, p) -> {
                  throw new RetryJobException("not yet", Duration.ofMinutes(30));
                }));
    UUID id = node.submitOrThrow(JobRequest.of("later", ""));
    JobView job = fleet.untilState(id, JobState.SCHEDULED);
    assertThat(job.waitReason()).isEqualTo("retry");
    assertThat(Objects.requireNonNull(job.timing().runAt()))
        .isBetween(
            job.timing().createdAt().plus(Duration.ofMinutes(30)),
            job.timing().createdAt().plus(Duration.ofMinutes(31)));
    assertThat(job.attempt()).isEqualTo(2);
  }

  @Test
  void aFatalErrorMakesADeadLetterAtOnce() {
    Millpond node =
        fleet.worker(m ->
            m.registerHandler(
                "hopeless",
                String.class,
                (context, p) -> {
                  throw new FatalJobException("never");
                }));
    UUID id = node.submitOrThrow(JobRequest.of("hopeless", ""));
    JobView job = fleet.untilState(id, JobState.DEAD);
    assertThat(job.attempts()).hasSize(1);
    assertThat(job.attempts().getFirst().ended()).isEqualTo("fatal");
    DeadLetterView letter = node.deadLetters(DeadLetterFilter.ALL, null, 10).items().getFirst();
    assertThat(letter.jobId()).isEqualTo(id);
    assertThat(letter.reason()).isEqualTo("fatal");
    assertThat(letter.error().message()).isEqualTo("never");
    fleet.assertCounted("dead", 1);
    assertThat(database.depth()).isZero();
  }

  @Test
  void anExhaustedJobIsDeadAndARedriveGivesItANewLife() {
    AtomicBoolean repaired = new AtomicBoolean();
    Set<Integer> tokens = ConcurrentHashMap.newKeySet();
    Millpond node =
        fleet.worker(m ->
            m.registerHandler(
                "broken",
                String.class,
                (context, p) -> {
                  tokens.add(context.leaseToken());
                  if (!repaired.get()) {
                    throw new IllegalStateException("attempt " + context.attempt());
                  }
                  return context.attempt();
                },
                QUICK_RETRY.withMaxAttempts(2)));
    fleet.maintainer();
    UUID id = node.submitOrThrow(JobRequest.of("broken", ""));
    assertThat(node.redrive(id)).isInstanceOf(RedriveResult.WrongState.class);
    JobView dead = fleet.untilState(id, JobState.DEAD);
    assertThat(dead.attempts()).hasSize(2);
    DeadLetterView letter = node.deadLetters(DeadLetterFilter.ALL, null, 10).items().getFirst();
    assertThat(letter.reason()).isEqualTo("exhausted");
    assertThat(letter.attempts()).isEqualTo(2);
    fleet.assertBooksClean();

    repaired.set(true);
    assertThat(node.redrive(id)).isEqualTo(new RedriveResult.Redriven());
    JobView job = fleet.untilState(id, JobState.SUCCEEDED);
    assertThat(job.result()).as("the attempt starts over").isEqualTo("1");
    assertThat(job.attempts()).hasSize(3);
    assertThat(job.attempts().getLast().leaseToken()).isEqualTo(4);
    assertThat(tokens).containsExactlyInAnyOrder(1, 2, 4);
    assertThat(node.deadLetters(DeadLetterFilter.ALL, null, 10).items()).isEmpty();
    assertThat(node.redrive(id)).isEqualTo(new RedriveResult.WrongState(JobState.SUCCEEDED));
    assertThat(node.redrive(UUID.randomUUID())).isEqualTo(new RedriveResult.NotFound());
  }

  @Test
  void aResultThatIsTooLargeIsFatal() {
    Millpond node =
        fleet.worker(
            m -> m.registerHandler("big", String.class, (c, p) -> "x".repeat(Limits.RESULT_BYTES)));
    JobView job = fleet.untilState(node.submitOrThrow(JobRequest.of("big", "")), JobState.DEAD);
    assertThat(Objects.requireNonNull(job.error()).message()).contains("65536");
  }

  @Test
  void aPayloadThatDoesNotFitIsFatal() {
    Millpond node = fleet.worker(m -> m.registerHandler("p", Point.class, (c, p) -> p.x()));
    JobView job =
        fleet.untilState(node.submitOrThrow(JobRequest.of("p", "no point")), JobState.DEAD);
    assertThat(Objects.requireNonNull(job.error()).message()).contains("does not fit");
    assertThat(job.attempts().getFirst().ended()).isEqualTo("fatal");
  }

  @Test
  void anErrorOfTheHandlerIsAFailedAttempt() {
    Millpond node =
        fleet.worker(m ->
            m.registerHandler(
                "deep",
                String.class,
                (c, p) -> fall(0),
                HandlerOptions.DEFAULT.withMaxAttempts(1)));
    JobView job = fleet.untilState(node.submitOrThrow(JobRequest.of("deep", "")), JobState.DEAD);
    assertThat(Objects.requireNonNull(job.error()).type())
        .isEqualTo("java.lang.StackOverflowError");
    assertThat(job.attempts().getFirst().ended()).isEqualTo("failed");
  }

  @SuppressWarnings("InfiniteRecursion")
  private static int fall(int depth) {
    return fall(depth + 1) + 1;
  }

  @ParameterizedTest
  @EnumSource(Mode.class)
  void aKindThatAWorkerDoesNotKnowIsLeftToAnother(Mode mode) {
    fleet = Fleet.on(database, mode);
    Map<String, Integer> ran = new ConcurrentHashMap<>();
    Millpond first =
        fleet.worker(m ->
            m.registerHandler("red", String.class, (c, p) -> ran.merge("red", 1, Integer::sum)));
    fleet.maintainer();
    List<UUID> blue = Fleet.submit(first, JobRequest.of("blue", ""), 20);
    List<UUID> red = Fleet.submit(first, JobRequest.of("red", ""), 20);
    red.forEach(id -> fleet.untilState(id, JobState.SUCCEEDED));
    fleet.worker(
        m -> m.registerHandler("blue", String.class, (c, p) -> ran.merge("blue", 1, Integer::sum)));
    blue.forEach(id -> fleet.untilState(id, JobState.SUCCEEDED));
    assertThat(ran).isEqualTo(Map.of("red", 20, "blue", 20));
    assertThat(database.number("SELECT count(*) FROM millpond.job_attempt")).isZero();
  }

  @Test
  void aKindRunsOnTheThreadsItAsksFor() {
    Millpond node =
        fleet.worker(m -> {
          m.registerHandler("virtual", String.class, (c, p) -> Thread.currentThread().isVirtual());
          m.registerHandler(
              "platform",
              String.class,
              (c, p) -> Thread.currentThread().isVirtual(),
              HandlerOptions.DEFAULT.withExecutor(Executor.PLATFORM));
        });
    for (int i = 0; i < 10; i++) {
      Fleet.submit(node, JobRequest.of("virtual", ""), 7);
      Fleet.submit(node, JobRequest.of("platform", ""), 7);
    }
    fleet.untilEnded(140);
    assertThat(
            database.strings(
                "SELECT DISTINCT j.kind || ' ' || o.result FROM millpond.job j"
                    + " JOIN millpond.job_outcome o ON o.job_id = j.id ORDER BY 1"))
        .containsExactly("platform false", "virtual true");
    Fleet.until("no slot is busy", () -> fleet.gauged(SLOTS, "state", "busy") == 0);
    assertThat(fleet.gauged(SLOTS, "state", "free")).isEqualTo(16);
  }

  private static final String SLOTS = "millpond.worker.slots";

  @Test
  void handlersThatComputeDoNotDelayTheHeartbeat() throws Exception {
    int jobs = 4 * Runtime.getRuntime().availableProcessors();
    AtomicInteger runs = new AtomicInteger();
    CountDownLatch all = new CountDownLatch(jobs);
    Millpond node =
        fleet.worker(m ->
            m.registerHandler(
                "spin",
                String.class,
                (c, p) -> {
                  runs.incrementAndGet();
                  long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(1);
                  while (System.nanoTime() < until) {
                    Thread.onSpinWait();
                  }
                  all.countDown();
                  return null;
                }));
    fleet.maintainer();
    Fleet.submit(node, JobRequest.of("spin", ""), jobs);
    assertThat(all.await(30, TimeUnit.SECONDS)).isTrue();
    fleet.untilEnded(jobs);
    assertThat(runs).as("nothing was rescued from a silent session").hasValue(jobs);
    assertThat(database.strings("SELECT session::text FROM millpond.worker"))
        .containsExactly(node.nodeId().toString());
  }

  @Test
  void oneSlotRunsOneJobAtATime() {
    AtomicInteger now = new AtomicInteger();
    AtomicInteger most = new AtomicInteger();
    Millpond node =
        fleet.worker(
            fleet.config().withSlots(3),
            m ->
                m.registerHandler(
                    "count",
                    String.class,
                    (c, p) -> {
                      most.accumulateAndGet(now.incrementAndGet(), Math::max);
                      Thread.onSpinWait();
                      now.decrementAndGet();
                      return null;
                    }));
    Fleet.submit(node, JobRequest.of("count", ""), 500);
    fleet.untilEnded(500);
    assertThat(most.get()).isBetween(1, 3);
  }
}
