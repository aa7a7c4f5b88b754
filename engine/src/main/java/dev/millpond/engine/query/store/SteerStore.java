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
      VALUES (?, 'cancelled', ?, ?) ON CONFLICT (job_id) DO NOTHING
      """;

  private static final String REQUEST =
      "UPDATE millpond.job_state SET cancel_requested = true WHERE job_id = ?";

  private static final String NOTICE =
      "INSERT INTO millpond.cancel_notice (job_id) VALUES (?) ON CONFLICT DO NOTHING";

  /** A batch that nobody has taken yet cannot have started any of its jobs. */
  private static final String UNTAKEN =
      """
      SELECT FROM millpond.dispatch
      WHERE job_ids @> ARRAY[?::uuid] AND sent_at IS NULL AND claimed_by IS NULL
        AND queue = ? AND class = ? AND kind = ? AND id > ?
      LIMIT 1
      """;

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

  /** Cancels a job: whoever inserts the outcome first has ended it. */
  public static CancelResult cancel(Connection tx, UUID id) throws SQLException {
    Job job = job(tx, id);
    if (job == null) {
      return new CancelResult.NotFound();
    }
    State state = lock(tx, id);
    JobState ended = ended(tx, id);
    if (ended != null) {
      return new CancelResult.WrongState(ended);
    }
    if (state != null && state.phase() == JobState.DEAD) {
      return new CancelResult.WrongState(JobState.DEAD);
    }
    if (state != null && state.phase() == JobState.RUNNING) {
      update(tx, REQUEST, id);
      update(tx, NOTICE, id);
      return new CancelResult.Requested();
    }
    if (!insertCancelled(tx, id, state)) {
      JobState now = ended(tx, id);
      return new CancelResult.WrongState(now == null ? JobState.RUNNING : now);
    }
    if (state != null && state.phase() == JobState.SCHEDULED) {
      update(tx, "DELETE FROM millpond.job_state WHERE job_id = ?", id);
      return new CancelResult.Cancelled();
    }
    DispatchStore.addDepth(tx, Map.of(job.lane(), -1));
    // Its batch may be with a worker: that one is told, and its outcome will not count.
    update(tx, NOTICE, id);
    return untaken(tx, id, job) ? new CancelResult.Cancelled() : new CancelResult.Requested();
  }

  private static boolean insertCancelled(Connection tx, UUID id, @Nullable State state)
      throws SQLException {
    try (PreparedStatement statement = tx.prepareStatement(CANCEL)) {
      statement.setObject(1, id);
      statement.setInt(2, state == null ? 1 : state.attempt());
      statement.setInt(3, state == null ? 1 : state.token());
      return statement.executeUpdate() == 1;
    }
  }

  private static boolean untaken(Connection tx, UUID id, Job job) throws SQLException {
    try (PreparedStatement statement = tx.prepareStatement(UNTAKEN)) {
      int i = 0;
      statement.setObject(++i, id);
      statement.setString(++i, job.lane().queue());
      statement.setString(++i, job.lane().priorityClass());
      statement.setString(++i, job.kind());
      // A batch is made after its jobs.
      statement.setObject(++i, new UUID(id.getMostSignificantBits() & ~0xFFFFL, 0));
      try (ResultSet row = statement.executeQuery()) {
        return row.next();
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
