package dev.millpond.engine;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.millpond.api.JobOptions;
import dev.millpond.api.JobRequest;
import dev.millpond.api.JobState;
import dev.millpond.engine.Fleet.Mode;
import dev.millpond.engine.flow.InvalidSettingException;
import dev.millpond.engine.flow.Limit;
import dev.millpond.engine.flow.Limit.Rate;
import dev.millpond.engine.flow.LimitView;
import dev.millpond.engine.flow.Pause.Scope;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import redis.clients.jedis.Jedis;

/** Limits of queues and kinds over a fleet: never one over, and nothing waits that may start. */
@Order(1) // takes long: begins first
class LimitIT {
  private static Database database;
  private Fleet fleet;
  private final AtomicInteger running = new AtomicInteger();
  private final AtomicInteger most = new AtomicInteger();
  private final ConcurrentLinkedQueue<Long> starts = new ConcurrentLinkedQueue<>();
  private final AtomicInteger free = new AtomicInteger();
  private final CountDownLatch gate = new CountDownLatch(1);
  private final Company company = new Company();

  /**
   * Keeps each job until so many run beside it, and then lets the one go that has been there for
   * longest: so as many run as may, all the time. Lets all go once no more are to come.
   */
  private static final class Company {
    private final Deque<CountDownLatch> inside = new ArrayDeque<>();
    private int together = 1;
    private int toCome;

    /** From now on. */
    synchronized void of(int jobsTogether, int jobsToCome) {
      together = jobsTogether;
      toCome = jobsToCome;
      letGo();
    }

    void keep() throws InterruptedException {
      CountDownLatch mine = new CountDownLatch(1);
      synchronized (this) {
        inside.add(mine);
        toCome--;
        letGo();
      }
      mine.await();
    }

    private void letGo() {
      while (!inside.isEmpty() && (inside.size() >= together || toCome <= 0)) {
        inside.remove().countDown();
      }
    }
  }

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
    company.of(1, 0);
    fleet.end();
  }

  private void start(Mode mode) {
    fleet = Fleet.on(database, mode);
    fleet.maintainer();
  }

  private static Limit atMost(int jobs) {
    return new Limit(jobs, null);
  }

  private static JobRequest job(String kind, String queue) {
    return JobRequest.of(kind, "x").withQueue(queue);
  }

  private Millpond worker() {
    return fleet.worker(this::register);
  }

  private void register(Millpond millpond) {
    millpond.registerHandler(
        "counted",
        String.class,
        (context, payload) -> {
          enter();
          company.keep();
          running.decrementAndGet();
          return null;
        });
    millpond.registerHandler(
        "failing",
        String.class,
        (context, payload) -> {
          enter();
          running.decrementAndGet();
          if (context.attempt() == 1) {
            throw new IllegalStateException("the first attempt fails");
          }
          return null;
        });
    millpond.registerHandler(
        "gated",
        String.class,
        (context, payload) -> {
          enter();
          gate.await();
          running.decrementAndGet();
          return null;
        });
    millpond.registerHandler("free", String.class, (context, payload) -> free.incrementAndGet());
  }

  private void enter() {
    starts.add(System.nanoTime());
    most.accumulateAndGet(running.incrementAndGet(), Math::max);
  }

  @ParameterizedTest
  @EnumSource(Mode.class)
  void neverMoreJobsOfAQueueRunThanItsLimitLets(Mode mode) {
    start(mode);
    Millpond node = worker();
    node.flow().setLimit(Scope.QUEUE, "mail", atMost(5));
    worker();
    worker();

    company.of(5, 200);
    Fleet.submit(node, job("counted", "mail"), 200);

    fleet.untilEnded(200);
    assertThat(most).hasValue(5);
    assertThat(database.number("SELECT max(lease_token) FROM millpond.job_outcome")).isEqualTo(1);
  }

  @ParameterizedTest
  @EnumSource(Mode.class)
  void aKindsLimitHoldsOverAllQueuesAndTheStricterOfTwoCounts(Mode mode) {
    start(mode);
    Millpond node = worker();
    node.flow().setLimit(Scope.KIND, "counted", atMost(4));
    node.flow().setLimit(Scope.QUEUE, "a", atMost(20));
    worker();

    company.of(4, 120);
    Fleet.submit(node, job("counted", "a"), 60);
    Fleet.submit(node, job("counted", "b"), 60);
    Fleet.submit(node, job("free", "a"), 100);

    fleet.untilEnded(220);
    assertThat(most).hasValue(4);
    assertThat(free).hasValue(100);
  }

  @ParameterizedTest
  @EnumSource(Mode.class)
  void aFullLimitHoldsNoSlotAndNobodyElseUp(Mode mode) {
    start(mode);
    Millpond node = worker();
    node.flow().setLimit(Scope.QUEUE, "slow", atMost(2));
    Fleet.submit(node, job("gated", "slow"), 500);
    Fleet.until("two run", () -> running.get() == 2);

    Fleet.submit(node, job("free", "other"), 500);

    fleet.untilEnded(500);
    assertThat(running).hasValue(2);
    LimitView view = node.flow().limit(Scope.QUEUE, "slow");
    assertThat(view.limit()).isEqualTo(atMost(2));
    assertThat(view.running()).isEqualTo(2);
    assertThat(view.holders()).hasSize(2);
    assertThat(fleet.gauged("millpond.worker.slots", "state", "busy")).isEqualTo(2);
    gate.countDown();
    fleet.untilEnded(1_000);
    assertThat(most).hasValue(2);
  }

  @Test
  void whoHasRunForLongCountsBesideThoseWhoComeAndGo() {
    start(Mode.POSTGRES);
    Millpond node = fleet.worker(fleet.config().withSlots(100), this::register);
    node.flow().setLimit(Scope.QUEUE, "mail", atMost(75));
    Fleet.submit(node, job("gated", "mail"), 70); // more than the limit's row names
    Fleet.until("they run", () -> running.get() == 70);
    String elders = "SELECT coalesce(max(cardinality(elders)), 0) FROM millpond.flow_limit";
    AtomicInteger ended = new AtomicInteger();
    Fleet.until(
        "they are not counted each time any more",
        () -> {
          Fleet.submit(node, job("free", "mail"), 1);
          ended.incrementAndGet();
          return database.number(elders) == 64;
        });

    company.of(5, 300);
    Fleet.submit(node, job("counted", "mail"), 300);

    fleet.untilEnded(ended.get() + 300);
    assertThat(most).hasValue(75);
    gate.countDown();
    fleet.untilEnded(ended.get() + 370);
  }

  @ParameterizedTest
  @EnumSource(Mode.class)
  void aLimitedQueueIsServedWhileOthersHaveMoreThanFits(Mode mode) {
    start(mode);
    Millpond node = worker();
    node.flow().setLimit(Scope.KIND, "free", atMost(2));
    company.of(8, Integer.MAX_VALUE);
    AtomicInteger busy = new AtomicInteger();
    busy.addAndGet(Fleet.submit(node, job("counted", "busy"), 3_000).size());
    Fleet.submit(node, job("free", "limited"), 40);

    Fleet.until(
        "all of them have run, with others before them all the time",
        () -> {
          while (busy.get() - starts.size() < 3_000) {
            busy.addAndGet(Fleet.submit(node, job("counted", "busy"), 1_000).size());
          }
          return free.get() == 40;
        });
    company.of(1, 0);
    fleet.untilEnded(busy.get() + 40);
  }

  @ParameterizedTest
  @EnumSource(Mode.class)
  void whatRunsWhenALimitIsSetCountsAndItIsChangedAndTakenBackLive(Mode mode) {
    start(mode);
    Millpond steers = fleet.producer();
    Millpond node = worker();
    worker();
    Fleet.submit(steers, job("gated", "mail"), 100);
    Fleet.until("all slots are taken", () -> running.get() == 32);

    steers.flow().setLimit(Scope.QUEUE, "mail", atMost(10));
    Fleet.until(
        "the others are in the table",
        () ->
            database.number(
                    "SELECT count(*) FROM millpond.dispatch WHERE queue = 'mail'"
                        + " AND (sent_at IS NOT NULL OR claimed_by IS NOT NULL)")
                == 0);
    // Not before: with more at hand nobody would read what was fed to a stream a moment ago.
    Fleet.submit(steers, job("free", "other"), 10); // waits as well: there is no slot
    most.set(0);
    int before = starts.size();
    assertThat(before).isEqualTo(32);
    gate.countDown();
    fleet.untilEnded(110);
    assertThat(most.get()).isLessThanOrEqualTo(10);

    assertThat(node.flow().resetLimit(Scope.QUEUE, "mail")).isTrue();
    most.set(0);
    company.of(12, 400);
    Fleet.submit(steers, job("counted", "mail"), 400);
    fleet.untilEnded(510);
    assertThat(most.get()).isGreaterThan(10);
    assertThat(node.flow().resetLimit(Scope.QUEUE, "mail")).isFalse();
  }

  @ParameterizedTest
  @EnumSource(Mode.class)
  void startsFollowTheRateOverTheWholeFleet(Mode mode) {
    start(mode);
    Millpond node = worker();
    Limit limit = new Limit(null, new Rate(50, Duration.ofSeconds(1), 10));
    node.flow().setLimit(Scope.KIND, "counted", limit);
    worker(); // not before: it would go by no limit for up to half a second

    Fleet.submit(node, job("counted", "mail"), 120);

    fleet.untilEnded(120);
    List<Long> at = new ArrayList<>(starts);
    at.sort(null);
    // A start follows its token by as much as a busy machine needs.
    double late = 1;
    for (int from = 0; from < at.size(); from++) {
      for (int to = from; to < at.size(); to++) {
        double seconds = (at.get(to) - at.get(from)) / 1e9;
        assertThat(to - from + 1).isLessThanOrEqualTo((int) (10 + 50 * (seconds + late)) + 1);
      }
    }
    // No job ended before its token came, by the database's clock.
    String ahead =
        """
        SELECT count(*)
        FROM (SELECT row_number() OVER (ORDER BY ended_at) AS n, ended_at
              FROM millpond.job_outcome) o
        CROSS JOIN millpond.flow_limit l
        WHERE o.n > l.burst + l.permits * extract(epoch FROM o.ended_at - l.changed_at) * 1000
                              / l.per_millis
        """;
    assertThat(database.number(ahead)).isZero();
    assertThat((at.getLast() - at.getFirst()) / 1e9).isLessThan(8);
  }

  @ParameterizedTest
  @EnumSource(Mode.class)
  void retriesAndPausedTagsKeepTheLimit(Mode mode) {
    start(mode);
    Millpond node = worker();
    node.flow().setLimit(Scope.QUEUE, "mail", atMost(3));
    node.flow().pause(Scope.TAG, "eu", null, null);
    company.of(3, 10);
    Fleet.submit(node, job("failing", "mail"), 20);
    List<UUID> held =
        Fleet.submit(
            node, job("counted", "mail").withOptions(JobOptions.DEFAULT.withTags("eu")), 10);

    fleet.untilEnded(20);
    held.forEach(id -> fleet.untilState(id, JobState.WAITING));
    assertThat(most.get()).isLessThanOrEqualTo(3);
    node.flow().resume(Scope.TAG, "eu");
    fleet.untilEnded(30);
    assertThat(most.get()).isLessThanOrEqualTo(3);
    held.forEach(id -> assertThat(fleet.untilState(id, JobState.SUCCEEDED).attempt()).isEqualTo(1));
  }

  @ParameterizedTest
  @EnumSource(Mode.class)
  void whatIsSetAsideForAPausedTagUsesNoToken(Mode mode) {
    start(mode);
    Millpond node = worker();
    node.flow().setLimit(Scope.QUEUE, "mail", new Limit(2, new Rate(1, Duration.ofHours(24), 12)));
    node.flow().pause(Scope.TAG, "eu", null, null);
    JobRequest eu = job("free", "mail").withOptions(JobOptions.DEFAULT.withTags("eu"));
    List<UUID> held = new ArrayList<>(Fleet.submit(node, eu, 150));
    Fleet.submit(node, job("free", "mail"), 5);
    held.addAll(Fleet.submit(node, eu, 5));

    fleet.untilEnded(5);
    held.forEach(id -> fleet.untilState(id, JobState.WAITING));
    assertThat(database.depth()).isZero();
    node.flow().resume(Scope.TAG, "eu");
    fleet.untilEnded(12);
    assertThat(node.flow().limit(Scope.QUEUE, "mail").tokens()).isLessThan(1);
    assertThat(database.depth()).isEqualTo(160 - 12);
    node.flow().resetLimit(Scope.QUEUE, "mail");
    fleet.untilEnded(160);
    assertThat(database.number("SELECT max(lease_token) FROM millpond.job_outcome")).isEqualTo(1);
  }

  @ParameterizedTest
  @EnumSource(Mode.class)
  void aWorkerThatLeavesLeavesItsPlace(Mode mode) {
    start(mode);
    Millpond node = fleet.producer();
    node.flow().setLimit(Scope.QUEUE, "mail", atMost(2));
    Millpond leaves = worker();
    Fleet.submit(node, job("gated", "mail"), 4);
    Fleet.until("two run", () -> running.get() == 2);
    leaves.drain(Duration.ofMillis(100));
    fleet.leave(leaves);
    running.set(0);
    gate.countDown();
    worker();
    fleet.untilEnded(4);
    assertThat(database.number("SELECT max(attempt) FROM millpond.job_outcome")).isEqualTo(1);
  }

  @Test
  void losingRedisNeitherLosesAJobNorLetsOneMoreRun() {
    start(Mode.STREAMS);
    Millpond node = worker();
    worker();
    company.of(3, 700);
    Fleet.submit(node, job("counted", "mail"), 300);
    node.flow().setLimit(Scope.QUEUE, "mail", atMost(3));
    Fleet.until("a second has passed", () -> fleetFollows(node));
    Fleet.submit(node, job("counted", "mail"), 300);
    try (Jedis jedis = new Jedis(fleet.redis().url())) {
      jedis.flushAll();
    }
    Fleet.submit(node, job("counted", "mail"), 100);
    fleet.untilEnded(700);
    assertThat(node.flow().limit(Scope.QUEUE, "mail").running()).isZero();
  }

  private static boolean fleetFollows(Millpond node) {
    return node.flow().settings().limits().of(Scope.QUEUE, "mail") != null;
  }

  @Test
  void impossibleLimitsAreRefused() {
    Millpond node = fleet.producer();
    refused(node, null, null, "must have concurrency or rate, or both");
    refused(node, 0, null, "/concurrency must be 1 to 100000, is 0");
    refused(node, null, new Rate(0, Duration.ofSeconds(1), 1), "/rate/permits must be 1 to ");
    refused(node, null, new Rate(1, Duration.ofSeconds(1), 0), "/rate/burst must be 1 to ");
    refused(node, null, new Rate(1, Duration.ofDays(2), 1), "/rate/per must be PT0.001S to PT24H");
    assertThat(node.flow().settings().limits().none()).isTrue();
    assertThat(requireNonNull(node.flow().limit(Scope.KIND, "k")).limit()).isNull();
  }

  private static void refused(
      Millpond node, @Nullable Integer concurrency, @Nullable Rate rate, String why) {
    assertThatExceptionOfType(InvalidSettingException.class)
        .isThrownBy(() -> node.flow().setLimit(Scope.QUEUE, "mail", new Limit(concurrency, rate)))
        .withMessageContaining(why);
  }
}
