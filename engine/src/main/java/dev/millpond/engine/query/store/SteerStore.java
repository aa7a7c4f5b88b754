package dev.millpond.engine.query.store;

import dev.millpond.api.CancelResult;
import dev.millpond.api.JobState;
import dev.millpond.api.RedriveResult;
import dev.millpond.engine.dispatch.BatchMaker;
import dev.millpond.engine.dispatch.BatchMaker.Member;
import dev.millpond.engine.dispatch.Lane;
import dev.millpond.engine.dispatch.store.DispatchStore;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Cancellation and redrive (rules R10, R13). The caller owns the transaction. Stateless. */
public final class SteerStore {
  private static final String JOB = "SELECT queue, class, kind FROM millpond.job WHERE id = ?";

  private static final String LOCK_STATE =
      """
      SELECT phase, lease_token, attempt, session, cancel_requested
      FROM millpond.job_state WHERE job_id = ? FOR UPDATE
      """;

  private static final String OUTCOME = "SELECT outcome FROM millpond.job_outcome WHERE job_id = ?";

  private static final String CANCEL =
      """
      INSERT INTO millpond.job_outcome (job_id, outcome, attempt, lease_token)
      VALUES (?, 'cancelled', ?, ?)
      """;

  private static final String REQUEST =
      "UPDATE millpond.job_state SET cancel_requested = true WHERE job_id = ?";

  private static final String NOTICE =
      "INSERT INTO millpond.cancel_notice (job_id) VALUES (?) ON CONFLICT DO NOTHING";

  /**
   * The dispatch row that names a job. Ids are time-ordered and a batch is made after its jobs, so
   * that the first one of a job is found at once.
   */
  private static final String BATCH =
      """
      SELECT sent_at IS NULL AND claimed_by IS NULL FROM millpond.dispatch
      WHERE job_ids @> ARRAY[?::uuid] AND queue = ? AND class = ? AND kind = ? AND id > ?
      ORDER BY id LIMIT 1
      """;

  /** A job that moves from one holder to the next is looked for again this often. */
  private static final int LOOKS_MAX = 10;

  private static final String REDRIVE =
      """
      UPDATE millpond.job_state
      SET lease_token = lease_token + 1, attempt = 1, phase = 'runnable', crashes = 0
      WHERE job_id = ? AND phase = 'dead'
      RETURNING lease_token
      """;

  private SteerStore() {}

  private record Job(Lane lane, String kind) {}

  private record State(JobState phase, int token, int attempt) {}

  /**
   * Cancels a job: whoever inserts the outcome first has ended it. Its holder is locked before,
   * state row or dispatch row (rule R1): a retry, a rescue or a dissolve that is under way either
   * has not read the outcomes yet, or is over and has given the job another holder.
   */
  public static CancelResult cancel(Connection tx, UUID id) throws SQLException {
    Job job = job(tx, id);
    if (job == null) {
      return new CancelResult.NotFound();
    }
    for (int look = 0; look < LOOKS_MAX; look++) {
      State state = lock(tx, id);
      Boolean untaken = state == null ? batch(tx, BATCH + "FOR UPDATE", id, job) : null;
      if (state == null && untaken != null) {
        state = lock(tx, id);
      }
      JobState ended = ended(tx, id);
      if (ended != null) {
        return new CancelResult.WrongState(ended);
      }
      if (state != null) {
        return cancel(tx, id, job, state);
      }
      if (untaken != null) {
        return end(tx, id, job, 1, 1, untaken);
      }
    }
    return new CancelResult.WrongState(JobState.RUNNABLE);
  }

  /** Cancels a job that has a state row, which is locked. */
  private static CancelResult cancel(Connection tx, UUID id, Job job, State state)
      throws SQLException {
    return switch (state.phase()) {
      case DEAD, SUCCEEDED, CANCELLED -> new CancelResult.WrongState(state.phase());
      case RUNNING -> {
        update(tx, REQUEST, id);
        update(tx, NOTICE, id);
        yield new CancelResult.Requested();
      }
      case SCHEDULED -> {
        insertCancelled(tx, id, state.attempt(), state.token());
        update(tx, "DELETE FROM millpond.job_state WHERE job_id = ?", id);
        yield new CancelResult.Cancelled();
      }
      case RUNNABLE, WAITING -> {
        // Not locked: whoever has the batch's row waits for the state row, which we hold.
        Boolean untaken = batch(tx, BATCH, id, job);
        yield end(tx, id, job, state.attempt(), state.token(), untaken != null && untaken);
      }
    };
  }

  private static CancelResult end(
      Connection tx, UUID id, Job job, int attempt, int token, boolean untaken)
      throws SQLException {
    insertCancelled(tx, id, attempt, token);
    DispatchStore.addDepth(tx, Map.of(job.lane(), -1));
    // Its batch may be with a worker: that one is told, and its outcome will not count.
    update(tx, NOTICE, id);
    return untaken ? new CancelResult.Cancelled() : new CancelResult.Requested();
  }

  private static void insertCancelled(Connection tx, UUID id, int attempt, int token)
      throws SQLException {
    try (PreparedStatement statement = tx.prepareStatement(CANCEL)) {
      statement.setObject(1, id);
      statement.setInt(2, attempt);
      statement.setInt(3, token);
      statement.executeUpdate();
    }
  }

  /** The dispatch row that names a job: whether nobody has taken it; null for none. */
  private static @Nullable Boolean batch(Connection tx, String sql, UUID id, Job job)
      throws SQLException {
    try (PreparedStatement statement = tx.prepareStatement(sql)) {
      int i = 0;
      statement.setObject(++i, id);
      statement.setString(++i, job.lane().queue());
      statement.setString(++i, job.lane().priorityClass());
      statement.setString(++i, job.kind());
      statement.setObject(++i, new UUID(id.getMostSignificantBits() & ~0xFFFFL, 0));
      try (ResultSet row = statement.executeQuery()) {
        return row.next() ? row.getBoolean(1) : null;
      }
    }
  }

  /** Gives a dead job a new life (rule R13). */
  public static RedriveResult redrive(Connection tx, UUID id, BatchMaker maker)
      throws SQLException {
    Job job = job(tx, id);
    if (job == null) {
      return new RedriveResult.NotFound();
    }
    int token;
    try (PreparedStatement statement = tx.prepareStatement(REDRIVE)) {
      statement.setObject(1, id);
      try (ResultSet row = statement.executeQuery()) {
        if (!row.next()) {
          return new RedriveResult.WrongState(current(tx, id));
        }
        token = row.getInt(1);
      }
    }
    update(tx, "DELETE FROM millpond.dead_letter WHERE job_id = ?", id);
    DispatchStore.insert(
        tx, List.of(maker.make(job.lane(), job.kind(), List.of(new Member(id, token)))), false);
    DispatchStore.addDepth(tx, Map.of(job.lane(), 1));
    return new RedriveResult.Redriven();
  }

  private static JobState current(Connection tx, UUID id) throws SQLException {
    JobState ended = ended(tx, id);
    if (ended != null) {
      return ended;
    }
    State state = lock(tx, id);
    return state == null ? JobState.RUNNABLE : state.phase();
  }

  private static @Nullable Job job(Connection tx, UUID id) throws SQLException {
    try (PreparedStatement statement = tx.prepareStatement(JOB)) {
      statement.setObject(1, id);
      try (ResultSet row = statement.executeQuery()) {
        return row.next()
            ? new Job(new Lane(row.getString(1), row.getString(2)), row.getString(3))
            : null;
      }
    }
  }

  private static @Nullable State lock(Connection tx, UUID id) throws SQLException {
    try (PreparedStatement statement = tx.prepareStatement(LOCK_STATE)) {
      statement.setObject(1, id);
      try (ResultSet row = statement.executeQuery()) {
        return row.next()
            ? new State(JobState.of(row.getString(1)), row.getInt(2), row.getInt(3))
            : null;
      }
    }
  }

  private static @Nullable JobState ended(Connection tx, UUID id) throws SQLException {
    try (PreparedStatement statement = tx.prepareStatement(OUTCOME)) {
      statement.setObject(1, id);
      try (ResultSet row = statement.executeQuery()) {
        return row.next() ? JobState.of(row.getString(1)) : null;
      }
    }
  }

  private static void update(Connection tx, String sql, UUID id) throws SQLException {
    try (PreparedStatement statement = tx.prepareStatement(sql)) {
      statement.setObject(1, id);
      statement.executeUpdate();
    }
  }
}
