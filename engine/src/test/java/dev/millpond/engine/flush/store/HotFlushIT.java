package dev.millpond.engine.flush.store;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.engine.Database;
import dev.millpond.engine.dispatch.Batch;
import dev.millpond.engine.dispatch.BatchMaker;
import dev.millpond.engine.dispatch.BatchMaker.Member;
import dev.millpond.engine.dispatch.Lane;
import dev.millpond.engine.flush.NewJob;
import dev.millpond.engine.flush.Portion;
import dev.millpond.engine.flush.Portion.Success;
import dev.millpond.engine.flush.Routed;
import dev.millpond.engine.flush.Routed.Route;
import dev.millpond.engine.lifecycle.store.Pg;
import dev.millpond.engine.submit.JobIds;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** One hot flush is one transaction, whatever it is made of and however often it is repeated. */
class HotFlushIT {
  /** How many transactions wrote what the last flush has written in each of its tables. */
  private static final String TRANSACTIONS =
      """
      SELECT count(DISTINCT x) FROM (
          SELECT xmin::text::bigint AS x FROM millpond.job WHERE id = ?
          UNION ALL SELECT xmin::text::bigint FROM millpond.dispatch WHERE id = ?
          UNION ALL SELECT xmin::text::bigint FROM millpond.job_outcome WHERE job_id = ?
          UNION ALL SELECT max(xmin::text::bigint) FROM millpond.flush_marker
          UNION ALL SELECT max(xmin::text::bigint) FROM millpond.queue_depth) AS written
      """;

  private static final Lane LANE = new Lane("default", "normal");
  private static final UUID SESSION = UUID.randomUUID();
  private static final int PARTS = 5;
  private static final int RUNS = 4;

  private static Database database;

  private final JobIds ids = new JobIds(InstantSource.system());
  private final BatchMaker maker = new BatchMaker(ids, 1);
  private WriterConnection connection;

  @BeforeAll
  static void open() {
    database = Database.fresh();
  }

  @AfterAll
  static void shut() {
    database.close();
  }

  @BeforeEach
  void connect() {
    database.empty();
    connection = new WriterConnection(database.url(), "hot-flush-it");
  }

  @AfterEach
  void disconnect() {
    connection.close();
  }

  @Test
  void everyMixOfPartsIsOneTransactionOnEveryRun() throws SQLException {
    for (int run = 0; run < RUNS; run++) {
      for (int mix = 1; mix < 1 << PARTS; mix++) {
        List<NewJob> jobs = new ArrayList<>();
        List<Batch> batches = new ArrayList<>();
        List<Portion> portions = new ArrayList<>();
        if ((mix & 1) != 0) {
          jobs.addAll(jobs(3, NewJob.NOW));
          batches.add(batch(jobs));
        }
        if ((mix & 2) != 0) {
          jobs.addAll(jobs(2, new NewJob.Start.In(60_000_000)));
        }
        if ((mix & 4) != 0) {
          List<NewJob> now = jobs(2, NewJob.NOW);
          jobs.addAll(now);
          batches.add(batch(now));
        }
        if ((mix & 8) != 0) {
          portions.add(finish(submitted(4), 4, true));
        }
        if ((mix & 16) != 0) {
          portions.add(finish(submitted(4), 2, false));
        }
        assertOneTransaction(run, mix, jobs, batches, portions);
      }
    }
  }

  private void assertOneTransaction(
      int run, int mix, List<NewJob> jobs, List<Batch> batches, List<Portion> portions)
      throws SQLException {
    HotFlush flush = new HotFlush(jobs, routed(batches), portions, SESSION);
    flush.run(connection, false);
    connection.next();
    List<UUID> ended = new ArrayList<>();
    portions.forEach(p -> p.ends().forEach(e -> ended.add(e.jobId())));
    UUID[] jobIds = jobs.stream().map(NewJob::id).toArray(UUID[]::new);
    UUID[] batchIds = batches.stream().map(Batch::id).toArray(UUID[]::new);
    UUID[] endedIds = ended.toArray(UUID[]::new);
    String written =
        """
        SELECT xmin::text AS x FROM millpond.flush_marker WHERE writer = ? AND seq = ?
        UNION ALL SELECT xmin::text FROM millpond.job WHERE id = ANY (?)
        UNION ALL SELECT xmin::text FROM millpond.job_state WHERE job_id = ANY (?)
        UNION ALL SELECT xmin::text FROM millpond.dispatch WHERE id = ANY (?)
        UNION ALL SELECT xmin::text FROM millpond.job_outcome WHERE job_id = ANY (?)
        """;
    Object[] arguments = {
      connection.writer(), connection.seq() - 1, jobIds, jobIds, batchIds, endedIds
    };
    List<String> transactions =
        database.strings("SELECT DISTINCT x FROM (" + written + ") AS w", arguments);
    assertThat(transactions).as("run %d of mix %d", run, mix).hasSize(1);
    long scheduled = jobs.stream().filter(j -> !j.runsNow()).count();
    assertThat(database.number("SELECT count(*) FROM (" + written + ") AS w", arguments))
        .isEqualTo(1 + jobs.size() + scheduled + batches.size() + ended.size());
    int delta = batches.stream().mapToInt(Batch::size).sum() - ended.size();
    assertThat(
            database.number(
                "SELECT coalesce(sum(delta), 0) FROM millpond.queue_depth WHERE xmin::text = ?",
                transactions.getFirst()))
        .isEqualTo(delta);
  }

  @Test
  void aFlushIsOneCommit() throws SQLException {
    flush(3, Route.SENT);
    for (int run = 0; run < RUNS; run++) {
      Batch ended = submitted(4);
      List<NewJob> jobs = jobs(3, NewJob.NOW);
      Batch begun = batch(jobs);
      HotFlush flush =
          new HotFlush(
              jobs,
              List.of(new Routed(begun, Route.WAITS)),
              List.of(finish(ended, 4, true)),
              SESSION);
      flush.run(connection, false);
      connection.next();
      assertThat(database.number(TRANSACTIONS, jobs.getFirst().id(), begun.id(), ended.jobIds()[0]))
          .as("transactions of run %d", run)
          .isOne();
    }
  }

  @Test
  void theRowOfABatchGoesWithItsLastPortionOnly() throws SQLException {
    Batch batch = submitted(4);
    run(false, finish(batch, 2, false));
    assertThat(rows(batch)).isEqualTo(1);
    run(false, finish(batch, 2, 4, true));
    assertThat(rows(batch)).isZero();
    assertThat(database.outcomes()).isEqualTo(4);
    assertThat(database.depth()).isZero();
  }

  @Test
  void outcomesOfABatchClaimedBySomebodyElseAreStale() throws SQLException {
    Batch theirs = submitted(3);
    Batch mine = submitted(2);
    database.update(
        "UPDATE millpond.dispatch SET claimed_by = ?, claimed_at = now() WHERE id = ?",
        UUID.randomUUID(),
        theirs.id());
    HotFlush flush = flushOf(finish(theirs, 3, true), finish(mine, 2, true));
    runUntilAccepted(flush);
    assertThat(flush.stale(connection)).containsExactlyInAnyOrder(theirs.jobIds());
    assertThat(rows(theirs)).isEqualTo(1);
    assertThat(rows(mine)).isZero();
    assertThat(database.outcomes()).isEqualTo(2);
    assertThat(database.depth()).as("only what was written leaves the depth").isEqualTo(3);
  }

  @Test
  void anOutcomeThatExistsAlreadyIsPassedOverAndCountedOnce() throws SQLException {
    Batch batch = submitted(3);
    UUID cancelled = batch.jobIds()[1];
    database.update(
        "INSERT INTO millpond.job_outcome (job_id, outcome, attempt, lease_token)"
            + " VALUES (?, 'cancelled', 1, 1)",
        cancelled);
    database.update(
        "INSERT INTO millpond.queue_depth (queue, class, delta) VALUES ('default', 'normal', -1)");
    HotFlush flush = flushOf(finish(batch, 3, true));
    runUntilAccepted(flush);
    assertThat(flush.stale(connection)).containsExactly(cancelled);
    assertThat(database.outcomes()).isEqualTo(3);
    assertThat(rows(batch)).isZero();
    assertThat(database.depth()).isZero();
  }

  /**
   * Two workers have the batch. One of them retries a job in a part of it, under a lock for which
   * the other's end waits: that end has to see the token that grew meanwhile (rule R1).
   */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void anEndThatWaitsForItsGateSeesTheTokenThatGrewMeanwhile(boolean careful) throws Exception {
    Batch batch = submitted(2);
    UUID retried = batch.jobIds()[0];
    HotFlush flush = flushOf(finish(batch, 2, true));
    try (Connection other = database.connect()) {
      other.setAutoCommit(false);
      Database.update(
          other, "UPDATE millpond.dispatch SET claimed_by = claimed_by WHERE id = ?", batch.id());
      Database.update(
          other,
          "INSERT INTO millpond.job_state"
              + " (job_id, queue, class, kind, phase, lease_token, attempt, run_at)"
              + " VALUES (?, 'default', 'normal', 'noop', 'scheduled', 2, 2, now())",
          retried);
      CompletableFuture<Void> ending =
          CompletableFuture.runAsync(() -> {
            try {
              runUntilAccepted(flush, careful);
            } catch (SQLException e) {
              throw new IllegalStateException(e);
            }
          });
      Awaitility.await()
          .pollInterval(Duration.ofMillis(2))
          .until(() ->
              ending.isDone()
                  || database.number(
                          "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                              + " AND application_name = 'hot-flush-it'")
                      > 0);
      other.commit();
      ending.get();
    }
    assertThat(flush.stale(connection)).containsExactly(retried);
    assertThat(database.outcomes()).isEqualTo(1);
  }

  /** As the lane does it: carefully after the plain way was refused. */
  private void runUntilAccepted(HotFlush flush) throws SQLException {
    runUntilAccepted(flush, false);
  }

  /** Once more where the lock was not to be had in time, and carefully where it was refused. */
  private void runUntilAccepted(HotFlush flush, boolean careful) throws SQLException {
    try {
      flush.run(connection, careful);
    } catch (SQLException e) {
      if (Pg.fault(e) == Pg.Fault.LOCK) {
        runUntilAccepted(flush, careful);
        return;
      }
      flush.run(connection, true);
    }
    connection.next();
  }

  private long rows(Batch batch) {
    return database.number("SELECT count(*) FROM millpond.dispatch WHERE id = ?", batch.id());
  }

  private HotFlush flushOf(Portion... portions) {
    return new HotFlush(List.of(), List.of(), List.of(portions), SESSION);
  }

  private void run(boolean careful, Portion... portions) throws SQLException {
    flushOf(portions).run(connection, careful);
    connection.next();
  }

  /** Every route in turn. */
  private static List<Routed> routed(List<Batch> batches) {
    List<Route> routes = List.of(Route.WAITS, Route.SENT, Route.KEPT);
    List<Routed> routed = new ArrayList<>();
    for (Batch batch : batches) {
      routed.add(new Routed(batch, routes.get(routed.size() % routes.size())));
    }
    return routed;
  }

  private Batch flush(int count, Route route) throws SQLException {
    List<NewJob> jobs = jobs(count, NewJob.NOW);
    Batch batch = batch(jobs);
    new HotFlush(jobs, List.of(new Routed(batch, route)), List.of(), SESSION)
        .run(connection, false);
    connection.next();
    return batch;
  }

  private Batch submitted(int count) throws SQLException {
    return flush(count, Route.WAITS);
  }

  private List<NewJob> jobs(int count, NewJob.Start start) {
    List<NewJob> jobs = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      jobs.add(
          new NewJob(
              ids.get(), LANE.queue(), LANE.priorityClass(), "noop", "{\"n\":1}", null, start));
    }
    return jobs;
  }

  private Batch batch(List<NewJob> jobs) {
    return maker.make(
        LANE,
        "noop",
        jobs.stream().filter(NewJob::runsNow).map(j -> new Member(j.id(), 1)).toList());
  }

  private static Portion finish(Batch batch, int count, boolean last) {
    return finish(batch, 0, count, last);
  }

  private static Portion finish(Batch batch, int from, int to, boolean last) {
    List<Portion.End> ends = new ArrayList<>();
    for (int i = from; i < to; i++) {
      ends.add(
          new Success(batch.jobIds()[i], 1, false, 1, 0, i % 2 == 0 ? "\"done\"" : null, 0, 1));
    }
    return new Portion(
        LANE,
        "noop",
        batch,
        last,
        ends,
        List.of(),
        List.of(),
        false,
        List.of(),
        false,
        (p, w) -> {});
  }
}
