package dev.millpond.engine.maintenance;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.api.CancelResult;
import dev.millpond.api.JobRequest;
import dev.millpond.api.JobState;
import dev.millpond.api.RedriveResult;
import dev.millpond.engine.Database;
import dev.millpond.engine.Fleet;
import dev.millpond.engine.Fleet.Mode;
import dev.millpond.engine.Millpond;
import dev.millpond.engine.OldDay;
import dev.millpond.engine.maintenance.Retention.Config;
import dev.millpond.engine.maintenance.Retention.Result;
import java.sql.Connection;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A day is dropped while others read, write, or hold its tables. */
class RetentionRaceIT {
  private static final Duration WEEK = Duration.ofDays(7);
  private static final Duration LONG_AGO = Duration.ofDays(8);
  private static final int FIRST_DAY = 10;
  private static final int ROUNDS = 15;

  /** Far below what writers would wait if the lock were waited for, far above a busy machine's. */
  private static final Duration STALL = Duration.ofSeconds(5);

  private static Database database;
  private RoleScene scene;
  private Retention retention;
  private ExecutorService pool;

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
    scene = new RoleScene(database, Mode.POSTGRES);
    retention = new Retention(scene.leadership, Config.of(WEEK, WEEK, null), scene.metrics);
    pool = Executors.newCachedThreadPool();
  }

  @AfterEach
  void stop() {
    pool.shutdownNow();
    scene.end();
  }

  private void untilDropped(OldDay day) {
    Fleet.until(
        day.day() + " dropped",
        () -> {
          retention.runOnce();
          return !day.isThere();
        });
  }

  private static Connection snapshot(String read) throws Exception {
    Connection other = database.connect();
    other.setAutoCommit(false);
    other.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
    try (var statement = other.createStatement();
        var rows = statement.executeQuery(read)) {
      rows.next();
    }
    return other;
  }

  @Test
  void anIdleSnapshotOfAnotherTableIsInNobodysWay() throws Exception {
    OldDay day = OldDay.of(database, FIRST_DAY);
    day.ended("succeeded", LONG_AGO);
    UUID kept = day.scheduled(Duration.ofDays(1));
    try (Connection other = snapshot("SELECT count(*) FROM millpond.kind")) {
      assertThat(retention.runOnce()).isEqualTo(new Result(1, 1, 0, 0, 0, true));
      other.rollback();
    }
    assertThat(scene.producer.find(kept)).isPresent();
  }

  @Test
  void aSnapshotThatHasReadJobsPutsTheDropOffAndStallsNobody() throws Exception {
    OldDay day = OldDay.of(database, FIRST_DAY);
    day.ended("succeeded", LONG_AGO);
    AtomicBoolean over = new AtomicBoolean();
    Future<Long> slowest;
    try (Connection other = snapshot("SELECT count(*) FROM millpond.job")) {
      slowest = pool.submit(() -> slowestSubmit(over));
      for (int look = 0; look < 3; look++) {
        Result result = retention.runOnce();
        assertThat(result.dropped()).isZero();
        assertThat(result.lockFailures()).isPositive();
      }
      over.set(true);
      assertThat(slowest.get()).isLessThan(STALL.toNanos());
      assertThat(day.isThere()).isTrue();
      other.rollback();
    }
    untilDropped(day);
    assertThat(scene.metrics.registry().get("millpond.retention.lock.failures").counter().count())
        .isPositive();
  }

  private long slowestSubmit(AtomicBoolean over) {
    long slowest = 0;
    while (!over.get()) {
      long began = System.nanoTime();
      scene.submit(1);
      slowest = Math.max(slowest, System.nanoTime() - began);
    }
    return slowest;
  }

  @Test
  void survivorsAreFoundAtEveryMomentOfTheirMove() throws Exception {
    ConcurrentLinkedQueue<UUID> survivors = new ConcurrentLinkedQueue<>();
    AtomicBoolean over = new AtomicBoolean();
    List<Future<Integer>> readers = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      readers.add(
          pool.submit(() -> {
            int found = 0;
            while (!over.get()) {
              for (UUID id : survivors) {
                assertThat(scene.producer.find(id)).as("%s", id).isPresent();
                found++;
              }
            }
            return found;
          }));
    }
    for (int round = 0; round < ROUNDS; round++) {
      OldDay day = OldDay.of(database, FIRST_DAY + round);
      for (int i = 0; i < 20; i++) {
        survivors.add(day.scheduled(Duration.ofDays(1)));
      }
      untilDropped(day);
    }
    over.set(true);
    for (Future<Integer> reader : readers) {
      assertThat(reader.get()).isPositive();
    }
  }

  @Test
  void aDayIsDroppedUnderFullLoad() throws Exception {
    Millpond worker =
        scene.fleet.worker(m -> m.registerHandler("noop", String.class, (c, p) -> null));
    AtomicBoolean over = new AtomicBoolean();
    Future<Integer> load =
        pool.submit(() -> {
          int submitted = 0;
          while (!over.get()) {
            submitted += Fleet.submit(worker, JobRequest.of("noop", ""), 50).size();
          }
          return submitted;
        });
    for (int round = 0; round < ROUNDS; round++) {
      OldDay day = OldDay.of(database, FIRST_DAY + round);
      day.ended("succeeded", LONG_AGO);
      day.scheduled(Duration.ofDays(1));
      untilDropped(day);
    }
    over.set(true);
    scene.fleet.untilEnded(load.get());
    assertThat(database.number("SELECT count(*) FROM millpond.job_default")).isEqualTo(ROUNDS);
  }

  /** What holds the handlers of a round. */
  private volatile CountDownLatch gate = new CountDownLatch(0);

  /**
   * Each round, at one moment: the day is dropped, handlers of three of its jobs return, one job is
   * cancelled, one is redriven, one becomes due.
   */
  @Test
  void whatHappensToASurvivorDuringTheDropHappensOnce() throws Exception {
    ConcurrentLinkedQueue<UUID> running = new ConcurrentLinkedQueue<>();
    scene.fleet.worker(m -> {
      m.registerHandler("noop", String.class, (c, p) -> null);
      m.registerHandler(
          "gate",
          String.class,
          (c, p) -> {
            CountDownLatch mine = gate;
            running.add(c.jobId());
            mine.await();
            return null;
          });
    });
    Promoter promoter =
        new Promoter(scene.leadership, scene.maker, scene.pace, Promoter.Config.DEFAULT, () -> {});
    for (int round = 0; round < ROUNDS; round++) {
      gate = new CountDownLatch(1);
      running.clear();
      OldDay day = OldDay.of(database, FIRST_DAY + round);
      day.ended("succeeded", LONG_AGO);
      List<UUID> late = List.of(day.runnable("gate"), day.runnable("gate"), day.runnable("gate"));
      UUID cancelled = day.scheduled(Duration.ofDays(1));
      UUID due = day.scheduled(Duration.ofDays(-1));
      UUID dead = day.dead(LONG_AGO);
      Fleet.until("three run", () -> running.size() == 3);
      atOnce(
          retention::runOnce,
          () -> {
            gate.countDown();
            return null;
          },
          () ->
              assertThat(scene.producer.cancel(cancelled)).isEqualTo(new CancelResult.Cancelled()),
          () -> assertThat(scene.producer.redrive(dead)).isEqualTo(new RedriveResult.Redriven()),
          promoter::runOnce);
      untilDropped(day);
      List<UUID> succeeded = new ArrayList<>(late);
      succeeded.addAll(List.of(due, dead));
      for (UUID id : succeeded) {
        scene.fleet.untilState(id, JobState.SUCCEEDED);
      }
      scene.fleet.untilState(cancelled, JobState.CANCELLED);
    }
    assertThat(database.outcomes()).isEqualTo(6L * ROUNDS);
    assertThat(scene.fleet.counted("completed")).isEqualTo(5.0 * ROUNDS);
  }

  private void atOnce(Callable<?>... all) throws Exception {
    CyclicBarrier barrier = new CyclicBarrier(all.length);
    List<Future<?>> futures = new ArrayList<>();
    for (Callable<?> one : all) {
      futures.add(
          pool.submit(() -> {
            barrier.await();
            return one.call();
          }));
    }
    for (Future<?> future : futures) {
      future.get();
    }
  }
}
