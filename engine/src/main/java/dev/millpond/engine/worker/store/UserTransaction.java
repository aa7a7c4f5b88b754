package dev.millpond.engine.worker.store;

import com.zaxxer.hikari.HikariDataSource;
import dev.millpond.api.JobContext.TransactionalWork;
import dev.millpond.api.JobOptions;
import dev.millpond.engine.Sizing;
import dev.millpond.engine.dispatch.Lane;
import dev.millpond.engine.dispatch.store.DepthStore;
import dev.millpond.engine.dispatch.store.DepthStore.Change;
import dev.millpond.engine.flush.PayloadBytes;
import dev.millpond.engine.flush.store.ResultStore;
import dev.millpond.engine.lifecycle.store.JobTables;
import dev.millpond.engine.lifecycle.store.Pg;
import dev.millpond.engine.submit.JobJson;
import dev.millpond.engine.webhook.store.WebhookStore;
import dev.millpond.engine.worker.store.ClaimStore.LoadedJob;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.function.Supplier;

/**
 * Completes a job in the transaction of its handler's own writes (rule R6). The gate is the first
 * statement: whoever deletes the running state row ends the job, also under REPEATABLE READ.
 */
public final class UserTransaction implements AutoCloseable {
  private static final String GATE =
      """
      DELETE FROM millpond.job_state
      WHERE job_id = ? AND lease_token = ? AND session = ? AND phase = 'running'
      RETURNING job_id
      """;

  private static final String OUTCOME =
      """
      INSERT INTO millpond.job_outcome
             (job_id, outcome, attempt, lease_token, worker_id, started_at, result)
      VALUES (?, 'succeeded', ?, ?, ?, 'epoch'::timestamptz + ? * interval '1 microsecond', ?)
      ON CONFLICT (job_id) DO NOTHING
      """;

  private final HikariDataSource pool;
  private final Supplier<UUID> session;
  private final Duration lease;
  private final int resultBytes;

  /** What became of it. */
  public enum Result {
    COMMITTED,
    /** The job is somebody else's; rolled back. */
    LOST,
    /** No answer to the commit. */
    UNKNOWN
  }

  /**
   * @param url of the database, for a pool of its own
   * @param lease below which its locks and idle times are kept
   * @param resultBytes the most a result may have
   */
  public UserTransaction(String url, Supplier<UUID> session, Duration lease, int resultBytes) {
    this.pool = Pg.handlerPool(url, "millpond-handlers", Sizing.here().handlerPool());
    this.session = session;
    this.lease = lease;
    this.resultBytes = resultBytes;
  }

  /**
   * Runs the work and ends the job, or neither.
   *
   * @throws Exception as the work threw it; everything was rolled back
   */
  public Result complete(
      LoadedJob job, JobOptions options, Lane lane, long startedMicros, TransactionalWork work)
      throws Exception {
    try (Connection tx = pool.getConnection()) {
      tx.setAutoCommit(false);
      try {
        boundTimes(tx);
        if (!pass(tx, job)) {
          tx.rollback();
          return Result.LOST;
        }
        String result = JobJson.result(work.write(tx), resultBytes);
        if (options.webhook() != null) {
          JobTables.hold(tx); // a webhook is a new job, written after the outcome
        }
        if (!end(tx, job, options, startedMicros, result)) {
          tx.rollback();
          return Result.LOST;
        }
        if (options.webhook() != null) {
          WebhookStore.call(tx, List.of(job.id()));
        }
        DepthStore.add(tx, List.of(new Change(lane, -1, 1, -PayloadBytes.of(job.payload()))));
      } catch (Exception | Error e) {
        try {
          tx.rollback();
        } catch (SQLException again) {
          e.addSuppressed(again);
        }
        throw e;
      }
      return commit(tx);
    }
  }

  private static Result commit(Connection tx) throws SQLException {
    try {
      tx.commit();
      return Result.COMMITTED;
    } catch (SQLException e) {
      if (Pg.fault(e) == Pg.Fault.CONNECTION) {
        return Result.UNKNOWN;
      }
      throw e;
    }
  }

  private void boundTimes(Connection tx) throws SQLException {
    long half = Math.max(500, lease.toMillis() / 2);
    try (Statement statement = tx.createStatement()) {
      statement.execute(
          "SET LOCAL lock_timeout = "
              + half
              + "; SET LOCAL idle_in_transaction_session_timeout = "
              + half);
    }
  }

  private boolean pass(Connection tx, LoadedJob job) throws SQLException {
    try (PreparedStatement statement = tx.prepareStatement(GATE)) {
      statement.setObject(1, job.id());
      statement.setInt(2, job.token());
      statement.setObject(3, session.get());
      try (ResultSet row = statement.executeQuery()) {
        return row.next();
      }
    }
  }

  private boolean end(
      Connection tx,
      LoadedJob job,
      JobOptions options,
      long startedMicros,
      @org.jspecify.annotations.Nullable String result)
      throws SQLException {
    Duration ttl = options.resultTtl();
    String kept = options.keepResult() ? result : null;
    try (PreparedStatement statement = tx.prepareStatement(OUTCOME)) {
      statement.setObject(1, job.id());
      statement.setInt(2, job.attempt());
      statement.setInt(3, job.token());
      statement.setObject(4, session.get());
      statement.setLong(5, startedMicros);
      statement.setString(6, ttl == null ? kept : null);
      if (statement.executeUpdate() != 1) {
        return false;
      }
    }
    if (kept != null && ttl != null) {
      ResultStore.insert(tx, List.of(new ResultStore.Kept(job.id(), kept, ttl.toNanos() / 1_000)));
    }
    return true;
  }

  @Override
  public void close() {
    pool.close();
  }
}
