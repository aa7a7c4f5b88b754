package dev.millpond.engine.maintenance.store;

import dev.millpond.engine.dispatch.Batch;
import dev.millpond.engine.dispatch.BatchMaker;
import dev.millpond.engine.dispatch.BatchMaker.Member;
import dev.millpond.engine.dispatch.Lane;
import dev.millpond.engine.dispatch.store.DepthMoves;
import dev.millpond.engine.dispatch.store.DepthStore;
import dev.millpond.engine.dispatch.store.DispatchStore;
import dev.millpond.engine.flush.store.EndedJobs;
import dev.millpond.engine.lifecycle.store.JobTables;
import dev.millpond.engine.lifecycle.store.Pg;
import dev.millpond.engine.lifecycle.store.PgArray;
import dev.millpond.engine.webhook.store.WebhookStore;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Makes jobs of lost holders runnable again: token + 1, same attempt, a new waiting row (rules R9,
 * R12). Holders are deleted or locked first, outcomes and states are read in later statements. The
 * caller owns the transaction. Stateless.
 *
 * <p>A job that was lost with its process is suspected of having killed it, as is all else that was
 * lost with it: from then on it runs alone (ADR 25). Lost twice while it did, it is a dead letter.
 */
public final class RescueStore {
  /** A job whose process died this often while nothing else ran in it is a dead letter. */
  static final int CRASHES_ALONE = 2;

  /**
   * The same for one whose process was lost this often, alone or not: what kills late, or where no
   * process is ever free to run it alone, must end as well.
   */
  static final int LOSSES_MAX = 20;

  private static final String LOCK_STATES =
      """
      SELECT job_id, lease_token, phase, attempt, crashes, losses, alone_in FROM millpond.job_state
      WHERE job_id = ANY (?::uuid[]) ORDER BY job_id FOR UPDATE
      """;

  private static final String RUNNABLE =
      """
      INSERT INTO millpond.job_state AS s
             (job_id, queue, class, kind, phase, lease_token, attempt, crashes, losses, alone_in)
      SELECT u.id, u.queue, u.class, u.kind, 'runnable', u.token, u.attempt, u.crashes, u.losses,
             CASE WHEN u.alone_in IS NOT NULL THEN ARRAY[u.alone_in] END
      FROM unnest(?::uuid[], ?::text[], ?::text[], ?::text[], ?::int4[], ?::int4[], ?::int4[],
                  ?::int4[], ?::uuid[])
           AS u (id, queue, class, kind, token, attempt, crashes, losses, alone_in)
      ON CONFLICT (job_id) DO UPDATE
          SET phase = 'runnable', wait_reason = NULL, lease_token = excluded.lease_token,
              crashes = excluded.crashes, losses = excluded.losses,
              alone_in = coalesce(s.alone_in || excluded.alone_in, s.alone_in, excluded.alone_in),
              session = NULL, started_at = NULL, seen_at = NULL,
              deadline = NULL, progress_percent = NULL, progress_message = NULL
          WHERE s.lease_token = excluded.lease_token - 1
      """;

  private static final String POISON =
      """
      WITH dead AS (
          INSERT INTO millpond.job_state AS s
                 (job_id, queue, class, kind, phase, lease_token, attempt, crashes, losses, alone_in)
          SELECT u.id, u.queue, u.class, u.kind, 'dead', u.token, u.attempt, u.crashes, u.losses,
                 NULL
          FROM unnest(?::uuid[], ?::text[], ?::text[], ?::text[], ?::int4[], ?::int4[], ?::int4[],
                      ?::int4[], ?::uuid[])
               AS u (id, queue, class, kind, token, attempt, crashes, losses, alone_in)
          ON CONFLICT (job_id) DO UPDATE
              SET phase = 'dead', wait_reason = NULL, lease_token = excluded.lease_token,
                  crashes = excluded.crashes, losses = excluded.losses, session = NULL,
                  started_at = NULL, seen_at = NULL, deadline = NULL, cancel_requested = false
              WHERE s.lease_token = excluded.lease_token - 1
          RETURNING job_id, queue, class, kind, attempt, losses, crashes)
      INSERT INTO millpond.dead_letter
             (job_id, queue, class, kind, attempts, reason, error_type, error_message)
      SELECT job_id, queue, class, kind, attempt, 'poison', 'dev.millpond.WorkerLost',
             'its process was lost ' || losses || ' times while it held this job'
      FROM dead
      """;

  private RescueStore() {}

  /**
   * A job to rescue.
   *
   * @param token the one its holder named
   * @param process that held it and is lost; null for none, or for one that has come back
   * @param alone whether nothing else ran in it
   */
  public record Lost(
      UUID jobId, Lane lane, String kind, int token, @Nullable UUID process, boolean alone) {

    /** One that was not lost with a process. */
    public Lost(UUID jobId, Lane lane, String kind, int token) {
      this(jobId, lane, kind, token, null, false);
    }
  }

  /** A dispatch row to take, and the lost process that held it; null for none. */
  public record Taken(UUID id, @Nullable UUID process) {}

  /** A job's state row, locked. */
  private record State(
      int token, String phase, int attempt, int crashes, int losses, List<UUID> aloneIn) {
    static final State NONE = new State(1, "runnable", 1, 0, 0, List.of());
  }

  /**
   * What becomes of a job.
   *
   * @param aloneIn a process in which it was lost while it ran alone, of unknown fate
   * @param counted how often its process died while it ran alone, for all that is known
   */
  private record Next(
      Lost lost, int attempt, int crashes, int losses, @Nullable UUID aloneIn, int counted) {
    boolean poison() {
      return counted >= CRASHES_ALONE || losses >= LOSSES_MAX;
    }
  }

  /**
   * What a rescue did.
   *
   * @param batches new waiting rows
   * @param rescued jobs in them, by lane and kind
   * @param buried jobs that became dead letters
   */
  public record Rescued(List<Batch> batches, List<Lost> rescued, List<Lost> buried) {}

  /**
   * Consumes dispatch rows that nobody has lost with a process, and re-dispatches what is left.
   *
   * @param direct whether the new rows are meant for no stream
   */
  public static Rescued batches(
      Connection tx, List<UUID> dispatchIds, BatchMaker maker, boolean direct) throws SQLException {
    List<Taken> taken = dispatchIds.stream().map(id -> new Taken(id, null)).toList();
    return taken(tx, taken, maker, direct);
  }

  /** Consumes dispatch rows and re-dispatches what is left of them. */
  public static Rescued taken(Connection tx, List<Taken> taken, BatchMaker maker)
      throws SQLException {
    return taken(tx, taken, maker, false);
  }

  private static Rescued taken(Connection tx, List<Taken> taken, BatchMaker maker, boolean direct)
      throws SQLException {
    Map<UUID, @Nullable UUID> processes = new HashMap<>();
    taken.forEach(each -> processes.put(each.id(), each.process()));
    List<Lost> lost = new ArrayList<>();
    for (Batch batch : DispatchStore.consume(tx, taken.stream().map(Taken::id).toList())) {
      for (int i = 0; i < batch.size(); i++) {
        lost.add(
            new Lost(
                batch.jobIds()[i],
                batch.lane(),
                batch.kind(),
                batch.token(i),
                processes.get(batch.id()),
                false));
      }
    }
    return jobs(tx, lost, "runnable", maker, direct);
  }

  /**
   * Re-dispatches jobs whose holder the caller has deleted or locked.
   *
   * @param phase of their state row, where they have one; in another phase somebody has moved them
   *     on
   */
  public static Rescued jobs(Connection tx, List<Lost> lost, String phase, BatchMaker maker)
      throws SQLException {
    return jobs(tx, lost, phase, maker, false);
  }

  private static Rescued jobs(
      Connection tx, List<Lost> lost, String phase, BatchMaker maker, boolean direct)
      throws SQLException {
    if (lost.isEmpty()) {
      return new Rescued(List.of(), List.of(), List.of());
    }
    List<UUID> ids = lost.stream().map(Lost::jobId).sorted(PgArray.UUID_ORDER).toList();
    Map<UUID, State> states = lock(tx, ids);
    JobTables.hold(tx); // a dead letter's webhook is a new job
    Set<UUID> ended = EndedJobs.among(tx, ids);
    Fates fates = Fates.read(tx);
    List<Next> again = new ArrayList<>();
    List<Next> poison = new ArrayList<>();
    DepthMoves depth = new DepthMoves();
    for (Lost job : lost) {
      State state = states.get(job.jobId());
      boolean current =
          state == null
              ? job.token() == 1 && phase.equals("runnable")
              : state.token() == job.token() && state.phase().equals(phase);
      if (!current || ended.contains(job.jobId())) {
        continue;
      }
      Next next = next(job, state == null ? State.NONE : state, fates);
      if (next.poison()) {
        poison.add(next);
        depth.leaves(job.lane(), job.jobId());
      } else {
        again.add(next);
      }
    }
    upsert(tx, RUNNABLE, again);
    upsert(tx, POISON, poison);
    WebhookStore.call(tx, poison.stream().map(next -> next.lost().jobId()).toList());
    DepthStore.add(tx, depth);
    List<Batch> batches = group(again, maker);
    DispatchStore.insert(tx, batches, direct);
    return new Rescued(
        batches, again.stream().map(Next::lost).toList(), poison.stream().map(Next::lost).toList());
  }

  /**
   * A process that is lost is taken for dead as far as it makes its jobs run alone. It counts for a
   * verdict when it is known to have died, or was not heard of for two leases: until then it may
   * have been cut off, asleep or behind a database that was away, and come back.
   */
  private static Next next(Lost job, State state, Fates fates) {
    UUID process = job.process();
    if (process == null) {
      return new Next(job, state.attempt(), state.crashes(), state.losses(), null, 0);
    }
    int crashes = state.crashes();
    UUID unknown = null;
    int counted = 0;
    if (job.alone()) {
      // One that was noted before, came back and has died now counts once, through that note.
      if (fates.died(process) && !state.aloneIn().contains(process)) {
        crashes++;
      } else {
        unknown = process;
      }
      Set<UUID> aloneIn = new HashSet<>(state.aloneIn());
      if (unknown != null) {
        aloneIn.add(unknown);
      }
      counted = crashes + (int) aloneIn.stream().filter(fates::gone).count();
    }
    return new Next(job, state.attempt(), crashes, state.losses() + 1, unknown, counted);
  }

  /**
   * Jobs that may travel together: suspects with suspects only, so that nothing else is suspected
   * for their sake.
   *
   * @param size of a batch, at most
   */
  private record Group(Lane lane, String kind, boolean suspects, int size) {}

  private static List<Batch> group(List<Next> again, BatchMaker maker) {
    long suspects = again.stream().filter(next -> next.losses() > 0).count();
    Map<Group, List<Member>> together = new LinkedHashMap<>();
    for (Next next : again) {
      Lost job = next.lost();
      boolean alone = next.losses() > 1 || (next.losses() == 1 && suspects <= SUSPECTS_ALONE);
      Group group = new Group(job.lane(), job.kind(), next.losses() > 0, alone ? 1 : SPLIT);
      together
          .computeIfAbsent(group, g -> new ArrayList<>())
          .add(new Member(job.jobId(), job.token() + 1));
    }
    List<Batch> batches = new ArrayList<>();
    together.forEach((group, members) ->
        batches.addAll(maker.split(group.lane(), group.kind(), members, group.size())));
    return batches;
  }

  /** Rescued jobs travel in smaller batches: they are late, and should spread. */
  private static final int SPLIT = 16;

  /**
   * Of more jobs than this that were lost together for the first time, {@link #SPLIT} run at once
   * with nothing else: that finds the one among thousands in time.
   */
  private static final int SUSPECTS_ALONE = 256;

  private static Map<UUID, State> lock(Connection tx, List<UUID> ids) throws SQLException {
    Map<UUID, State> states = new HashMap<>();
    try (PreparedStatement statement = tx.prepareStatement(LOCK_STATES)) {
      statement.setObject(1, PgArray.uuids(ids.toArray(UUID[]::new)));
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          states.put(
              rows.getObject(1, UUID.class),
              new State(
                  rows.getInt(2),
                  rows.getString(3),
                  rows.getInt(4),
                  rows.getInt(5),
                  rows.getInt(6),
                  uuids(rows, 7)));
        }
      }
    }
    return states;
  }

  private static List<UUID> uuids(ResultSet row, int column) throws SQLException {
    return row.getArray(column) == null ? List.of() : List.of(Pg.uuids(row, column));
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
      statement.setObject(++i, PgArray.ints(next, Next::losses));
      statement.setArray(++i, tx.createArrayOf("uuid", next.stream().map(Next::aloneIn).toArray()));
      statement.executeUpdate();
    }
  }
}
