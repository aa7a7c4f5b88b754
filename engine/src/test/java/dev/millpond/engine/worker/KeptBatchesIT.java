package dev.millpond.engine.worker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.api.JobOptions;
import dev.millpond.api.JobRequest;
import dev.millpond.engine.Database;
import dev.millpond.engine.Fleet;
import dev.millpond.engine.Fleet.Mode;
import dev.millpond.engine.Millpond;
import dev.millpond.engine.Timing;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Which batches a worker keeps of those that its own process makes. */
class KeptBatchesIT {
  /** Of a kind that nobody has measured 5 ms are assumed, and 20 ms of work are kept ahead. */
  private static final int UNKNOWN_AHEAD = 3;

  private static final String WAITING =
      "SELECT count(*) FROM millpond.dispatch WHERE claimed_by IS NULL";

  /** A later claim has a later time. */
  private static final String KEPT =
      """
      SELECT count(*) FROM millpond.dispatch d JOIN millpond.worker w ON w.session = d.claimed_by
      WHERE d.claimed_at = d.created_at
      """;

  /** Batches stay as they are while a test looks at them. */
  private static final Timing PATIENT =
      new Timing(
          Duration.ofMinutes(1),
          Duration.ofSeconds(5),
          Duration.ofSeconds(30),
          Duration.ofSeconds(1));

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
  void jobsSubmittedWhereAWorkerIdlesAreItsOwnWithTheirCommit(Mode mode) {
    fleet = Fleet.on(database, mode);
    CountDownLatch open = new CountDownLatch(1);
    Millpond node = worker(open, new AtomicInteger());
    node.submit(request());
    node.submit(request().withOptions(JobOptions.DEFAULT.withIdempotencyKey("k")));
    assertThat(database.number(KEPT)).isEqualTo(2);
    open.countDown();
    fleet.untilEnded(2);
  }

  private static JobRequest request() {
    return JobRequest.of("wait", 1);
  }

  private Millpond worker(CountDownLatch open, AtomicInteger runs) {
    return fleet.worker(
        fleet.config().withTiming(PATIENT),
        m ->
            m.registerHandler(
                "wait",
                Integer.class,
                (context, payload) -> {
                  runs.incrementAndGet();
                  open.await();
                  return null;
                }));
  }

  @Test
  void aWorkerKeepsHalfOfItsSlotsForOthers() {
    CountDownLatch open = new CountDownLatch(1);
    AtomicInteger runs = new AtomicInteger();
    Millpond node = worker(open, runs);
    int most = fleet.config().slots() / 2 + UNKNOWN_AHEAD;
    for (int job = 1; job <= most + 2; job++) {
      int started = job;
      node.submit(request());
      Fleet.until("it starts", () -> runs.get() == started);
      assertThat(database.number(KEPT)).isEqualTo(Math.min(job, most));
    }
    open.countDown();
    fleet.untilEnded(most + 2L);
  }

  @Test
  void aKindThatTheWorkerDoesNotKnowWaitsForAnother() {
    Millpond node = worker(new CountDownLatch(0), new AtomicInteger());
    node.submit(JobRequest.of("other", 1));
    assertThat(database.number(WAITING)).isEqualTo(1);
    fleet.worker(m -> m.registerHandler("other", Integer.class, (context, payload) -> null));
    fleet.untilEnded(1);
  }

  @Test
  void olderJobsThatWaitAreNotOvertaken() {
    CountDownLatch open = new CountDownLatch(1);
    int slots = fleet.config().slots();
    Millpond producer = fleet.producer();
    AtomicInteger runs = new AtomicInteger();
    Millpond node = worker(open, runs);
    node.submit(request()); // from now on it knows the queue
    // More than the worker may have: its claims leave some behind.
    for (int i = 0; i < slots + 4; i++) {
      producer.submit(request());
    }
    Fleet.until("all slots are taken", () -> runs.get() == slots);
    List<UUID> own = Fleet.submit(node, request(), 1);
    assertThat(database.number(WAITING + " AND job_ids @> ARRAY[?::uuid]", own.getFirst()))
        .isEqualTo(1);
    open.countDown();
    fleet.untilEnded(slots + 6L);
  }

  @Test
  void aDrainingWorkerKeepsNothing() {
    CountDownLatch open = new CountDownLatch(0);
    Millpond node = worker(open, new AtomicInteger());
    node.drain(Duration.ofSeconds(1));
    node.submit(request());
    assertThat(database.number(WAITING)).isEqualTo(1);
    worker(open, new AtomicInteger());
    fleet.untilEnded(1);
  }
}
