package dev.millpond.engine.flush.store;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.api.JobView.JobError;
import dev.millpond.engine.Database;
import dev.millpond.engine.Fleet;
import dev.millpond.engine.dispatch.Batch;
import dev.millpond.engine.dispatch.BatchMaker;
import dev.millpond.engine.dispatch.BatchMaker.Member;
import dev.millpond.engine.dispatch.Lane;
import dev.millpond.engine.flush.NewJob;
import dev.millpond.engine.flush.Portion;
import dev.millpond.engine.flush.Portion.End;
import dev.millpond.engine.flush.Portion.Failure;
import dev.millpond.engine.flush.Portion.Held;
import dev.millpond.engine.flush.Portion.Next;
import dev.millpond.engine.flush.Portion.Success;
import dev.millpond.engine.flush.Portion.Written;
import dev.millpond.engine.flush.Routed;
import dev.millpond.engine.flush.Routed.Route;
import dev.millpond.engine.lifecycle.store.Pg;
import dev.millpond.engine.submit.JobIds;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** What two cold flushes do that have parts of the same batch. */
class ColdFlushIT {
  private static final Lane LANE = new Lane("default", "normal");
  private static final String SECOND = "second-part";
  private static final int LOCK_TIMEOUT_MILLIS = 20_000;
  private static final int SOCKET_TIMEOUT_SECONDS = 30;

  private final JobIds ids = new JobIds(InstantSource.system());
  private final BatchMaker maker = new BatchMaker(ids, 1);

  /**
   * Two workers have the batch. Both parts only lock its row; if they shared that lock, the second
   * one would read the job's state before the first one's retry is committed (rule R1).
   */
  @Test
  void aPartWaitsForAnotherPartOfItsBatchAndSeesWhatThatHasWritten() throws Exception {
    try (Database database = Database.fresh();
        Connection first = connect(database, "first-part");
        Connection second = connect(database, SECOND)) {
      Batch batch = submitted(database, 2);
      UUID job = batch.jobIds()[0];
      part(first, batch, retried(job));

      CompletableFuture<Written> written =
          CompletableFuture.supplyAsync(() -> part(second, batch, succeeded(job)));
      Awaitility.await()
          .pollInterval(Duration.ofMillis(2))
          .until(() -> written.isDone() || waits(database));
      first.commit();
      Written news = written.get();
      second.commit();

      assertThat(news.stale()).containsExactly(job);
      assertThat(database.outcomes()).isZero();
      assertThat(database.strings("SELECT phase || lease_token FROM millpond.job_state"))
          .containsExactly("scheduled2");
      Fleet.assertBooksClean(database);
    }
  }

  /** A batch that a worker reads twice, and gives back both times, as it does not run its kind. */
  @Test
  void aBatchThatIsGivenBackTwiceInOneFlushHasOneRowAfterwards() throws Exception {
    try (Database database = Database.fresh();
        Connection tx = connect(database, "give-back")) {
      Batch batch = submitted(database, 2);
      List<Portion> twice = List.of(givenBack(batch), givenBack(batch));

      IdentityHashMap<Portion, Written> written =
          new ColdFlush(twice, UUID.randomUUID(), maker).run(tx);
      tx.commit();

      assertThat(written.get(twice.get(0))).isEqualTo(new Written(false, Set.of()));
      assertThat(written.get(twice.get(1)))
          .isEqualTo(new Written(true, Set.of(batch.jobIds()[0], batch.jobIds()[1])));
      assertThat(database.number("SELECT count(*) FROM millpond.dispatch")).isEqualTo(1);
      Fleet.assertBooksClean(database);
    }
  }

  private static Portion givenBack(Batch batch) {
    List<Held> held = new ArrayList<>();
    for (UUID job : batch.jobIds()) {
      held.add(new Held(job, 1, false));
    }
    return new Portion(
        LANE,
        "noop",
        batch,
        true,
        List.of(),
        List.of(),
        held,
        true,
        List.of(),
        false,
        (p, w) -> {});
  }

  private static boolean waits(Database database) {
    return database.number(
            "SELECT count(*) FROM pg_stat_activity"
                + " WHERE wait_event_type = 'Lock' AND application_name = ?",
            SECOND)
        > 0;
  }

  private static Connection connect(Database database, String name) throws SQLException {
    Connection connection =
        Pg.hot(database.url(), name, LOCK_TIMEOUT_MILLIS, SOCKET_TIMEOUT_SECONDS);
    connection.setAutoCommit(false);
    return connection;
  }

  /** Writes a part of a batch, as a session of its own; the caller commits. */
  private Written part(Connection tx, Batch batch, End end) {
    Portion portion =
        new Portion(
            LANE,
            "noop",
            batch,
            false,
            List.of(end),
            List.of(),
            List.of(),
            false,
            List.of(),
            false,
            (p, w) -> {});
    try {
      Written written =
          new ColdFlush(List.of(portion), UUID.randomUUID(), maker).run(tx).get(portion);
      assertThat(written).isNotNull();
      return written;
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  private static End retried(UUID job) {
    JobError error = new JobError("Broken", "as planned", null);
    return new Failure(job, 1, false, 1, 0, "failed", error, new Next.Retry(60_000_000), 1);
  }

  private static End succeeded(UUID job) {
    return new Success(job, 1, false, 1, 0, null, 0, 1);
  }

  private Batch submitted(Database database, int count) throws SQLException {
    List<NewJob> jobs = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      jobs.add(
          new NewJob(ids.get(), LANE.queue(), LANE.priorityClass(), "noop", "1", null, NewJob.NOW));
    }
    Batch batch =
        maker.make(LANE, "noop", jobs.stream().map(job -> new Member(job.id(), 1)).toList());
    try (WriterConnection connection = new WriterConnection(database.url(), "submit")) {
      new HotFlush(jobs, List.of(new Routed(batch, Route.WAITS)), List.of(), UUID.randomUUID())
          .run(connection, false);
    }
    return batch;
  }
}
