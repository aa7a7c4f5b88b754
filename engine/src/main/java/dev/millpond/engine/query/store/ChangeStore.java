package dev.millpond.engine.query.store;

import dev.millpond.api.InvalidJobException;
import dev.millpond.api.JobOptions.Expiry;
import dev.millpond.api.JobRequest;
import dev.millpond.api.JobState;
import dev.millpond.api.SteerResult;
import dev.millpond.engine.dispatch.Batch;
import dev.millpond.engine.dispatch.BatchMaker;
import dev.millpond.engine.dispatch.BatchMaker.Member;
import dev.millpond.engine.dispatch.Lane;
import dev.millpond.engine.dispatch.store.DepthMoves;
import dev.millpond.engine.dispatch.store.DepthStore;
import dev.millpond.engine.dispatch.store.DispatchStore;
import dev.millpond.engine.flush.NewJob;
import dev.millpond.engine.flush.NewJob.Start;
import dev.millpond.engine.query.Change;
import dev.millpond.engine.query.store.HolderStore.Job;
import dev.millpond.engine.query.store.HolderStore.Mode;
import dev.millpond.engine.query.store.HolderStore.Row;
import dev.millpond.engine.query.store.HolderStore.State;
import dev.millpond.engine.submit.JobJson;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Types;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Changes the run time and the priority class of jobs that have not started. The holder is locked
 * first, outcomes are read in a later statement (rule R1): a scheduled job is changed in its state
 * row; a runnable one leaves its dispatch row, which is deleted, while nobody has taken that. The
 * token stays: nobody else can hold the job. The caller owns the transaction. Stateless.
 */
public final class ChangeStore {
  /**
   * How long the dispatch row of a runnable job is looked for: less than the writer waits for a
   * state row that is locked meanwhile.
   */
  private static final Duration LOOK = Duration.ofMillis(200);

  private static final String RUNNABLE = "runnable";
  private static final String SCHEDULED = "scheduled";

  private static final String SET_STATE =
      """
      INSERT INTO millpond.job_state
             (job_id, queue, class, kind, phase, lease_token, attempt, run_at)
      VALUES (?, ?, ?, ?, ?, ?, ?, coalesce('epoch'::timestamptz + ? * interval '1 microsecond',
                                            now() + ? * interval '1 microsecond'))
      ON CONFLICT (job_id) DO UPDATE
          SET class = excluded.class, phase = excluded.phase, run_at = excluded.run_at,
              wait_reason = CASE WHEN excluded.phase = 'scheduled' THEN job_state.wait_reason END
          WHERE job_state.lease_token = excluded.lease_token
            AND job_state.phase IN ('scheduled', 'runnable')
      """;

  private static final String SET_CLASS =
      """
      UPDATE millpond.job_state SET class = ?
      WHERE job_id = ? AND lease_token = ? AND phase = 'scheduled'
      """;

  private ChangeStore() {}

  /**
   * Changes a job.
   *
   * @param now the database's clock, as far as known
   * @throws InvalidJobException when it were to start at its expiry or after
   */
  public static SteerResult change(
      Connection tx, UUID id, Change change, Instant now, BatchMaker maker) throws SQLException {
    Job job = HolderStore.job(tx, id);
    if (job == null) {
      return new SteerResult.NotFound();
    }
    JobRequest.Start asked = change.start();
    if (asked != null) {
      beforeExpiry(job, asked, now);
    }
    Start start = asked == null ? null : Start.of(asked, now);
    long until = System.nanoTime() + LOOK.toNanos();
    for (int look = 0; look < HolderStore.LOOKS_MAX && System.nanoTime() - until < 0; look++) {
      State state = HolderStore.lock(tx, id);
      JobState phase = state == null ? JobState.RUNNABLE : state.phase();
      SteerResult result =
          switch (phase) {
            case SCHEDULED -> scheduled(tx, job, state, change, start, maker);
            case RUNNABLE -> runnable(tx, job, state, change, start, maker);
            case RUNNING, WAITING, SUCCEEDED, DEAD, CANCELLED -> new SteerResult.WrongState(phase);
          };
      if (result != null) {
        return result;
      }
    }
    return new SteerResult.OnItsWay();
  }

  private static void beforeExpiry(Job job, JobRequest.Start start, Instant now) {
    Instant starts =
        switch (start) {
          case JobRequest.Start.Now ignored -> now;
          case JobRequest.Start.In in -> now.plus(in.delay());
          case JobRequest.Start.At at -> at.runAt();
        };
    if (starts.isAfter(now)
        && JobJson.options(job.options()).expiry() instanceof Expiry.At at
        && !starts.isBefore(at.expiresAt())) {
      throw new InvalidJobException(
          start instanceof JobRequest.Start.In ? "/delay" : "/runAt",
          "must be before the job expires, at " + at.expiresAt() + ", is " + starts);
    }
  }

  /** Changes the state row, which is locked. */
  private static SteerResult scheduled(
      Connection tx,
      Job job,
      @Nullable State state,
      Change change,
      @Nullable Start start,
      BatchMaker maker)
      throws SQLException {
    if (state == null) {
      throw new IllegalStateException("a scheduled job has a state row");
    }
    JobState ended = HolderStore.ended(tx, job.id());
    if (ended != null) {
      return new SteerResult.WrongState(ended);
    }
    Lane lane = lane(job, state);
    Lane to = target(lane, change);
    if (start == null) {
      setClass(tx, job, state, to);
    } else if (start instanceof Start.Now) {
      setState(tx, job, state, to, RUNNABLE, start);
      Member member = new Member(job.id(), state.token());
      DispatchStore.insert(tx, List.of(maker.make(to, job.kind(), List.of(member))), false);
      DepthStore.add(tx, new DepthMoves().comes(to, job.id()));
    } else {
      setState(tx, job, state, to, SCHEDULED, start);
    }
    return new SteerResult.Done();
  }

  /**
   * Takes the job out of its dispatch row. The rest of the row keeps its place in the lane, and the
   * job its age in another one.
   *
   * @return null when the job's holder was not to be had
   */
  private static @Nullable SteerResult runnable(
      Connection tx,
      Job job,
      @Nullable State state,
      Change change,
      @Nullable Start start,
      BatchMaker maker)
      throws SQLException {
    Lane lane = lane(job, state);
    Lane to = target(lane, change);
    boolean stays = start == null || start instanceof Start.Now;
    int token = state == null ? 1 : state.token();
    // Not waited for with a state row: whoever has the dispatch row may wait for that one.
    Mode mode = state == null ? Mode.LOCK : Mode.LOCK_IF_FREE;
    Row row =
        stays && to.equals(lane) ? null : HolderStore.batchWithin(tx, LOOK, job, lane, token, mode);
    JobState ended = HolderStore.ended(tx, job.id());
    if (ended != null) {
      return new SteerResult.WrongState(ended);
    }
    if (stays && to.equals(lane)) {
      // Without a state row it is runnable or has just got one: then it is looked at again.
      return state != null || HolderStore.lock(tx, job.id()) == null
          ? new SteerResult.Done()
          : null;
    }
    if (row == null || (state == null && HolderStore.lock(tx, job.id()) != null)) {
      return null;
    }
    if (!row.waits()) {
      return new SteerResult.OnItsWay();
    }
    move(tx, job, row, stays ? to : null, maker);
    setState(tx, job, state, to, stays ? RUNNABLE : SCHEDULED, stays ? NewJob.NOW : start);
    DepthMoves depth = new DepthMoves().leaves(lane, job.id());
    if (stays) {
      depth.comes(to, job.id());
    }
    DepthStore.add(tx, depth);
    return new SteerResult.Done();
  }

  /**
   * Replaces a waiting row, which is locked.
   *
   * @param to where the job goes; null when it is not runnable any more
   */
  private static void move(Connection tx, Job job, Row row, @Nullable Lane to, BatchMaker maker)
      throws SQLException {
    Batch old = row.batch();
    List<Member> rest = new ArrayList<>();
    List<Batch> made = new ArrayList<>();
    for (int i = 0; i < old.size(); i++) {
      Member member = new Member(old.jobIds()[i], old.token(i));
      if (!member.jobId().equals(job.id())) {
        rest.add(member);
      } else if (to != null) {
        made.add(maker.inPlaceOf(old, to, List.of(member)));
      }
    }
    if (!rest.isEmpty()) {
      made.add(maker.inPlaceOf(old, old.lane(), rest));
    }
    DispatchStore.consume(tx, List.of(old.id()));
    DispatchStore.insert(tx, made, row.direct());
  }

  private static Lane lane(Job job, @Nullable State state) {
    return state == null ? job.lane() : new Lane(job.lane().queue(), state.priorityClass());
  }

  private static Lane target(Lane lane, Change change) {
    String priorityClass = change.priorityClass();
    return priorityClass == null ? lane : new Lane(lane.queue(), priorityClass);
  }

  private static void setClass(Connection tx, Job job, State state, Lane to) throws SQLException {
    try (PreparedStatement statement = tx.prepareStatement(SET_CLASS)) {
      statement.setString(1, to.priorityClass());
      statement.setObject(2, job.id());
      statement.setInt(3, state.token());
      mustChange(statement.executeUpdate(), job);
    }
  }

  private static void setState(
      Connection tx, Job job, @Nullable State state, Lane to, String phase, @Nullable Start start)
      throws SQLException {
    try (PreparedStatement statement = tx.prepareStatement(SET_STATE)) {
      int i = 0;
      statement.setObject(++i, job.id());
      statement.setString(++i, to.queue());
      statement.setString(++i, to.priorityClass());
      statement.setString(++i, job.kind());
      statement.setString(++i, phase);
      statement.setInt(++i, state == null ? 1 : state.token());
      statement.setInt(++i, state == null ? 1 : state.attempt());
      statement.setObject(
          ++i, start instanceof Start.At at ? at.epochMicros() : null, Types.BIGINT);
      statement.setObject(
          ++i, start instanceof Start.In in ? in.delayMicros() : null, Types.BIGINT);
      mustChange(statement.executeUpdate(), job);
    }
  }

  private static void mustChange(int rows, Job job) {
    if (rows != 1) {
      throw new IllegalStateException("the state row of " + job.id() + " moved under its lock");
    }
  }
}
