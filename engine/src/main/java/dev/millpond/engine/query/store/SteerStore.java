package dev.millpond.engine.query.store;

import dev.millpond.api.CancelResult;
import dev.millpond.api.JobState;
import dev.millpond.api.RedriveResult;
import dev.millpond.engine.dispatch.BatchMaker;
import dev.millpond.engine.dispatch.BatchMaker.Member;
import dev.millpond.engine.dispatch.Lane;
import dev.millpond.engine.dispatch.store.DepthMoves;
import dev.millpond.engine.dispatch.store.DepthStore;
import dev.millpond.engine.dispatch.store.DispatchStore;
import dev.millpond.engine.query.store.HolderStore.Job;
import dev.millpond.engine.query.store.HolderStore.Mode;
import dev.millpond.engine.query.store.HolderStore.Row;
import dev.millpond.engine.query.store.HolderStore.State;
import dev.millpond.engine.webhook.store.WebhookStore;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.UUID;

/** Cancellation and redrive (rules R10, R13). The caller owns the transaction. Stateless. */
public final class SteerStore {
  private static final String CANCEL =
      """
      INSERT INTO millpond.job_outcome (job_id, outcome, attempt, lease_token)
      VALUES (?, 'cancelled', ?, ?)
      ON CONFLICT (job_id) DO NOTHING
      """;

  private static final String REQUEST =
      "UPDATE millpond.job_state SET cancel_requested = true WHERE job_id = ?";

  private static final String NOTICE =
      "INSERT INTO millpond.cancel_notice (job_id) VALUES (?) ON CONFLICT DO NOTHING";

  /** How long the batch of a cancelled job is looked for, to say whether it may have started. */
  private static final Duration LOOK = Duration.ofMillis(100);

  private static final String REDRIVE =
      """
      UPDATE millpond.job_state
      SET lease_token = lease_token + 1, attempt = 1, phase = 'runnable', crashes = 0,
          losses = 0, alone_in = NULL
      WHERE job_id = ? AND phase = 'dead'
      RETURNING lease_token, class
      """;

  private SteerStore() {}

  /**
   * Cancels a job: whoever inserts the outcome first has ended it. Its holder is locked before,
   * state row or dispatch row (rule R1): a retry, a rescue or a dissolve that is under way either
   * has not read the outcomes yet, or is over and has given the job another holder. The job is read
   * before its outcome, in the order of the tables.
   */
  public static CancelResult cancel(Connection tx, UUID id) throws SQLException {
    Job job = HolderStore.job(tx, id);
    if (job == null) {
      return new CancelResult.NotFound();
    }
    // An outcome is final: an ended job's dispatch row need not be looked for.
    JobState over = HolderStore.ended(tx, id);
    if (over != null) {
      return new CancelResult.WrongState(over);
    }
    for (int look = 0; look < HolderStore.LOOKS_MAX; look++) {
      State state = HolderStore.lock(tx, id);
      Row row = state == null ? HolderStore.batch(tx, job, job.lane(), 1, Mode.LOCK) : null;
      if (row != null) {
        state = HolderStore.lock(tx, id);
      }
      JobState ended = HolderStore.ended(tx, id);
      if (ended != null) {
        return new CancelResult.WrongState(ended);
      }
      if (state != null) {
        return cancel(tx, job, state);
      }
      if (row != null) {
        return end(tx, job, job.lane(), 1, 1, row.waits());
      }
    }
    return new CancelResult.WrongState(JobState.RUNNABLE);
  }

  /** Cancels a job that has a state row, which is locked. */
  private static CancelResult cancel(Connection tx, Job job, State state) throws SQLException {
    return switch (state.phase()) {
      case DEAD, SUCCEEDED, CANCELLED -> new CancelResult.WrongState(state.phase());
      case RUNNING -> {
        update(tx, REQUEST, job.id());
        update(tx, NOTICE, job.id());
        yield new CancelResult.Requested();
      }
      case SCHEDULED, WAITING -> {
        if (!insertCancelled(tx, job.id(), state.attempt(), state.token())) {
          yield new CancelResult.WrongState(endedMeanwhile(tx, job.id()));
        }
        update(tx, "DELETE FROM millpond.job_state WHERE job_id = ?", job.id());
        yield new CancelResult.Cancelled();
      }
      case RUNNABLE -> {
        Lane lane = new Lane(job.lane().queue(), state.priorityClass());
        // Not waited for: whoever has the batch's row waits for the state row, which we hold.
        // Locked where it is free, so that nobody takes the job before this commits.
        Row row = HolderStore.batchWithin(tx, LOOK, job, lane, state.token(), Mode.LOCK_IF_FREE);
        yield end(tx, job, lane, state.attempt(), state.token(), row != null && row.waits());
      }
    };
  }

  private static CancelResult end(
      Connection tx, Job job, Lane lane, int attempt, int token, boolean untaken)
      throws SQLException {
    if (!insertCancelled(tx, job.id(), attempt, token)) {
      return new CancelResult.WrongState(endedMeanwhile(tx, job.id()));
    }
    DepthStore.add(tx, new DepthMoves().leaves(lane, job.id()));
    // Its batch may be with a worker: that one is told, and its outcome will not count.
    update(tx, NOTICE, job.id());
    return untaken ? new CancelResult.Cancelled() : new CancelResult.Requested();
  }

  /** Whether this was the first outcome. */
  private static boolean insertCancelled(Connection tx, UUID id, int attempt, int token)
      throws SQLException {
    try (PreparedStatement statement = tx.prepareStatement(CANCEL)) {
      statement.setObject(1, id);
      statement.setInt(2, attempt);
      statement.setInt(3, token);
      if (statement.executeUpdate() != 1) {
        return false;
      }
    }
    WebhookStore.call(tx, List.of(id));
    return true;
  }

  private static JobState endedMeanwhile(Connection tx, UUID id) throws SQLException {
    JobState ended = HolderStore.ended(tx, id);
    return ended == null ? JobState.RUNNABLE : ended;
  }

  /** Gives a dead job a new life (rule R13). */
  public static RedriveResult redrive(Connection tx, UUID id, BatchMaker maker)
      throws SQLException {
    Job job = HolderStore.job(tx, id);
    if (job == null) {
      return new RedriveResult.NotFound();
    }
    int token;
    Lane lane;
    try (PreparedStatement statement = tx.prepareStatement(REDRIVE)) {
      statement.setObject(1, id);
      try (ResultSet row = statement.executeQuery()) {
        if (!row.next()) {
          return new RedriveResult.WrongState(current(tx, id));
        }
        token = row.getInt(1);
        lane = new Lane(job.lane().queue(), row.getString(2));
      }
    }
    update(tx, "DELETE FROM millpond.dead_letter WHERE job_id = ?", id);
    DispatchStore.insert(
        tx, List.of(maker.make(lane, job.kind(), List.of(new Member(id, token)))), false);
    DepthStore.add(tx, new DepthMoves().comes(lane, id));
    return new RedriveResult.Redriven();
  }

  private static JobState current(Connection tx, UUID id) throws SQLException {
    JobState ended = HolderStore.ended(tx, id);
    if (ended != null) {
      return ended;
    }
    State state = HolderStore.lock(tx, id);
    return state == null ? JobState.RUNNABLE : state.phase();
  }

  private static void update(Connection tx, String sql, UUID id) throws SQLException {
    try (PreparedStatement statement = tx.prepareStatement(sql)) {
      statement.setObject(1, id);
      statement.executeUpdate();
    }
  }
}
