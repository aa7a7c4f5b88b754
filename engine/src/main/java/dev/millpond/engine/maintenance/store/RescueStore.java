package dev.millpond.engine.maintenance.store;

import dev.millpond.engine.dispatch.Batch;
import dev.millpond.engine.dispatch.BatchMaker;
import dev.millpond.engine.dispatch.BatchMaker.Member;
import dev.millpond.engine.dispatch.Lane;
import dev.millpond.engine.dispatch.store.DispatchStore;
import dev.millpond.engine.flush.store.EndedJobs;
import dev.millpond.engine.lifecycle.store.PgArray;
import dev.millpond.engine.webhook.store.WebhookStore;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;

/**
 * Makes jobs of lost holders runnable again: token + 1, same attempt, a new waiting row (rules R9,
 * R12). Holders are deleted or locked first, outcomes and states are read in later statements. The
 * caller owns the transaction. Stateless.
 */
public final class RescueStore {
  /** A job whose worker was lost this often is a dead letter: it may be what kills the workers. */
  static final int CRASHES_MAX = 20;

  private static final String LOCK_STATES =
      """
      SELECT job_id, lease_token, phase, attempt, crashes FROM millpond.job_state
      WHERE job_id = ANY (?::uuid[]) ORDER BY job_id FOR UPDATE
      """;

  private static final String RUNNABLE =
      """
      INSERT INTO millpond.job_state AS s
             (job_id, queue, class, kind, phase, lease_token, attempt, crashes)
      SELECT u.id, u.queue, u.class, u.kind, 'runnable', u.token, u.attempt, u.crashes
      FROM unnest(?::uuid[], ?::text[], ?::text[], ?::text[], ?::int4[], ?::int4[], ?::int4[])
           AS u (id, queue, class, kind, token, attempt, crashes)
      ON CONFLICT (job_id) DO UPDATE
          SET phase = 'runnable', wait_reason = NULL, lease_token = excluded.lease_token,
              crashes = excluded.crashes, session = NULL, started_at = NULL, seen_at = NULL,
              deadline = NULL, progress_percent = NULL, progress_message = NULL
          WHERE s.lease_token = excluded.lease_token - 1
      """;

  private static final String POISON =
      """
      WITH dead AS (
          INSERT INTO millpond.job_state AS s
                 (job_id, queue, class, kind, phase, lease_token, attempt, crashes)
          SELECT u.id, u.queue, u.class, u.kind, 'dead', u.token, u.attempt, u.crashes
          FROM unnest(?::uuid[], ?::text[], ?::text[], ?::text[], ?::int4[], ?::int4[], ?::int4[])
               AS u (id, queue, class, kind, token, attempt, crashes)
          ON CONFLICT (job_id) DO UPDATE
              SET phase = 'dead', wait_reason = NULL, lease_token = excluded.lease_token,
                  crashes = excluded.crashes, session = NULL, started_at = NULL, seen_at = NULL,
                  deadline = NULL, cancel_requested = false
              WHERE s.lease_token = excluded.lease_token - 1
          RETURNING job_id, queue, class, kind, attempt, crashes)
      INSERT INTO millpond.dead_letter
             (job_id, queue, class, kind, attempts, reason, error_type, error_message)
      SELECT job_id, queue, class, kind, attempt, 'poison', 'dev.millpond.WorkerLost',
             'its worker was lost ' || crashes || ' times while it held this job'
      FROM dead
      """;

  private RescueStore() {}

  /** A job to rescue: its token is the one its holder named. */
  public record Lost(UUID jobId, Lane lane, String kind, int token) {}

  /** A job's state row, locked. */
  private record State(int token, String phase, int attempt, int crashes) {}

  private record Next(Lost lost, int attempt, int crashes) {}

  /**
   * What a rescue did.
   *
   * @param batches new waiting rows
   * @param rescued jobs in them, by lane and kind
   * @param buried jobs that became dead letters
   */
  public record Rescued(List<Batch> batches, List<Lost> rescued, List<Lost> buried) {}

  /**
   * Consumes dispatch rows and re-dispatches what is left of them.
   *
   * @param crash whether their worker may have died of one of them: counted, and from then on each
   *     travels alone
   */
  public static Rescued batches(
      Connection tx, List<UUID> dispatchIds, BatchMaker maker, boolean crash) throws SQLException {
    return batches(tx, dispatchIds, maker, crash, false);
  }

  /**
   * As {@link #batches(Connection, List, BatchMaker, boolean)}.
   *
   * @param direct whether the new rows are meant for no stream
   */
  public static Rescued batches(
      Connection tx, List<UUID> dispatchIds, BatchMaker maker, boolean crash, boolean direct)
      throws SQLException {
    List<Lost> lost = new ArrayList<>();
    for (Batch batch : DispatchStore.consume(tx, dispatchIds)) {
      for (int i = 0; i < batch.size(); i++) {
        lost.add(new Lost(batch.jobIds()[i], batch.lane(), batch.kind(), batch.token(i)));
      }
    }
    return jobs(tx, lost, "runnable", maker, crash, direct);
  }

  /**
   * Re-dispatches jobs whose holder the caller has deleted or locked.
   *
   * @param phase of their state row, where they have one; in another phase somebody has moved them
   *     on
   */
  public static Rescued jobs(
      Connection tx, List<Lost> lost, String phase, BatchMaker maker, boolean crash)
      throws SQLException {
    return jobs(tx, lost, phase, maker, crash, false);
  }

  private static Rescued jobs(
      Connection tx, List<Lost> lost, String phase, BatchMaker maker, boolean crash, boolean direct)
      throws SQLException {
    if (lost.isEmpty()) {
      return new Rescued(List.of(), List.of(), List.of());
    }
    List<UUID> ids = lost.stream().map(Lost::jobId).sorted(PgArray.UUID_ORDER).toList();
    Map<UUID, State> states = lock(tx, ids);
    Set<UUID> ended = EndedJobs.among(tx, ids);
    List<Next> again = new ArrayList<>();
    List<Next> poison = new ArrayList<>();
    Map<Lane, Integer> depth = new HashMap<>();
    for (Lost job : lost) {
      State state = states.get(job.jobId());
      boolean current =
          state == null
              ? job.token() == 1 && phase.equals("runnable")
              : state.token() == job.token() && state.phase().equals(phase);
      if (!current || ended.contains(job.jobId())) {
        continue;
      }
      int crashes = (state == null ? 0 : state.crashes()) + (crash ? 1 : 0);
      Next next = new Next(job, state == null ? 1 : state.attempt(), crashes);
      if (crashes > CRASHES_MAX) {
        poison.add(next);
        depth.merge(job.lane(), -1, Integer::sum);
      } else {
        again.add(next);
      }
    }
    upsert(tx, RUNNABLE, again);
    upsert(tx, POISON, poison);
    WebhookStore.call(tx, poison.stream().map(next -> next.lost().jobId()).toList());
    DispatchStore.addDepth(tx, depth);
    List<Batch> batches = group(again, maker);
    DispatchStore.insert(tx, batches, direct);
    return new Rescued(
        batches, again.stream().map(Next::lost).toList(), poison.stream().map(Next::lost).toList());
  }

  private record Group(Lane lane, String kind) {}

  private static List<Batch> group(List<Next> again, BatchMaker maker) {
    Map<Group, List<Member>> together = new LinkedHashMap<>();
    List<Batch> batches = new ArrayList<>();
    for (Next next : again) {
      Lost job = next.lost();
      Member member = new Member(job.jobId(), job.token() + 1);
      if (next.crashes() > 0) {
        batches.add(maker.make(job.lane(), job.kind(), List.of(member)));
      } else {
        together
            .computeIfAbsent(new Group(job.lane(), job.kind()), g -> new ArrayList<>())
            .add(member);
      }
    }
    together.forEach((group, members) ->
        batches.addAll(maker.split(group.lane(), group.kind(), members, SPLIT)));
    return batches;
  }

  /** Rescued jobs travel in smaller batches: they are late, and should spread. */
  private static final int SPLIT = 16;

  private static Map<UUID, State> lock(Connection tx, List<UUID> ids) throws SQLException {
    Map<UUID, State> states = new HashMap<>();
    try (PreparedStatement statement = tx.prepareStatement(LOCK_STATES)) {
      statement.setObject(1, PgArray.uuids(ids.toArray(UUID[]::new)));
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          states.put(
              rows.getObject(1, UUID.class),
              new State(rows.getInt(2), rows.getString(3), rows.getInt(4), rows.getInt(5)));
        }
      }
    }
    return states;
  }

  private static void upsert(Connection tx, String sql, List<Next> next) throws SQLException {
    if (next.isEmpty()) {
      return;
    }
    try (PreparedStatement statement = tx.prepareStatement(sql)) {
      int i = 0;
      statement.setObject(++i, PgArray.uuids(next, n -> n.lost().jobId()));
      statement.setObject(++i, PgArray.texts(next, n -> n.lost().lane().queue()));
      statement.setObject(++i, PgArray.texts(next, n -> n.lost().lane().priorityClass()));
      statement.setObject(++i, PgArray.texts(next, n -> n.lost().kind()));
      statement.setObject(++i, PgArray.ints(next, n -> n.lost().token() + 1));
      statement.setObject(++i, PgArray.ints(next, Next::attempt));
      statement.setObject(++i, PgArray.ints(next, Next::crashes));
      statement.executeUpdate();
    }
  }
}
