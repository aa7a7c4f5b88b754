package dev.millpond.engine.worker.store;

import dev.millpond.engine.dispatch.Batch;
import dev.millpond.engine.dispatch.BatchMaker;
import dev.millpond.engine.dispatch.Lane;
import dev.millpond.engine.dispatch.LaneMarks;
import dev.millpond.engine.dispatch.store.DepthMoves;
import dev.millpond.engine.dispatch.store.DepthStore;
import dev.millpond.engine.dispatch.store.DispatchStore;
import dev.millpond.engine.flush.store.ParkStore;
import dev.millpond.engine.flush.store.ParkStore.Parked;
import dev.millpond.engine.lifecycle.store.DatabaseException;
import dev.millpond.engine.lifecycle.store.Pg;
import dev.millpond.engine.lifecycle.store.PgArray;
import dev.millpond.engine.worker.store.ClaimStore.LoadedJob;
import dev.millpond.engine.worker.store.LimitRows.Leave;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Types;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Claims jobs under limits (ADR 32): in one transaction it locks the rows of their limits, counts
 * who holds them, and moves as many jobs as may start from waiting dispatch rows to running state
 * rows. On a connection of its own; confined to one thread.
 *
 * <p>Whoever claims under a limit holds its row until the commit, and a running state row goes with
 * the job's end, retry or rescue: what is counted is what runs, and there is no counter to leak.
 */
public final class LimitedClaimStore implements AutoCloseable {
  private static final int LOCK_TIMEOUT_MILLIS = 250;
  private static final int SOCKET_TIMEOUT_SECONDS = 20;

  /** Dispatch rows of one claim. */
  private static final int ROWS_MAX = 64;

  private static final String TAKE =
      """
      DELETE FROM millpond.dispatch WHERE id = ANY (ARRAY (
          SELECT v.id FROM (
              SELECT w.id, sum(w.n) OVER (ORDER BY w.id) - w.n AS ahead FROM (
                  SELECT id, cardinality(job_ids) AS n FROM millpond.dispatch
                  WHERE queue = ? AND class = ? AND (kind, id) > (?, ?) AND kind <= ?
                    AND sent_at IS NULL AND claimed_by IS NULL
                  ORDER BY kind, id FOR UPDATE SKIP LOCKED LIMIT ?) w) v
          WHERE v.ahead < ?))
      RETURNING
      """
          + DispatchStore.COLUMNS;

  private static final String STATES =
      """
      SELECT job_id, phase, lease_token, attempt, losses FROM millpond.job_state
      WHERE job_id = ANY (?::uuid[]) ORDER BY job_id FOR UPDATE
      """;

  private static final String JOBS =
      """
      SELECT j.id, j.payload, j.options FROM millpond.job j
      WHERE j.id = ANY (?::uuid[]) AND j.id BETWEEN ? AND ?
        AND NOT EXISTS (SELECT FROM millpond.job_outcome o WHERE o.job_id = j.id)
      """;

  private static final String RUN =
      """
      INSERT INTO millpond.job_state
             (job_id, queue, class, kind, phase, lease_token, attempt, session, started_at, seen_at,
              deadline)
      SELECT u.id, ?, ?, ?, 'running', u.token, u.attempt, ?,
             greatest(clock_timestamp(), ?::timestamptz), now(),
             now() + u.deadline * interval '1 millisecond'
      FROM unnest(?::uuid[], ?::int4[], ?::int4[], ?::int8[]) AS u (id, token, attempt, deadline)
      ON CONFLICT (job_id) DO UPDATE
          SET phase = 'running', wait_reason = NULL, session = excluded.session, alone = false,
              started_at = excluded.started_at, seen_at = excluded.seen_at,
              deadline = excluded.deadline
          WHERE job_state.lease_token = excluded.lease_token AND job_state.phase = 'runnable'
      RETURNING job_id
      """;

  private final String url;
  private final LaneMarks<Sort> marks = new LaneMarks<>();
  private @Nullable Connection connection;

  public LimitedClaimStore(String url) {
    this.url = url;
  }

  /** A queue, class and kind. */
  public record Sort(Lane lane, String kind) {}

  /**
   * A sort of which jobs wait.
   *
   * @param jobs that may start now
   * @param nextMillis until the next token comes; 0 where none is missing
   */
  public record Waiting(Sort sort, long jobs, long nextMillis) {}

  /**
   * A job that runs from now on.
   *
   * @param from the dispatch row that it came in
   */
  public record Taken(LoadedJob job, UUID from) {}

  /** What the settings and its kind say about a job. */
  public interface Rules {
    /** The tag for which it has to wait; null when it may start. */
    @Nullable String pausedTag(LoadedJob job);

    /** From its claim to its deadline. */
    long hardMillis(LoadedJob job);
  }

  /**
   * What a claim has come to.
   *
   * @param taken what starts
   * @param parked what waits for the end of a pause from now on: it has no place and used no token
   */
  public record Claim(List<Taken> taken, List<Parked> parked) {
    public static final Claim NOTHING = new Claim(List.of(), List.of());

    /** Whether any job is no longer where it was. */
    public boolean moved() {
      return !taken.isEmpty() || !parked.isEmpty();
    }
  }

  /** The commit of a claim got no answer: the jobs may run in this session's name. */
  public static final class InDoubt extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final transient List<Taken> taken;

    private InDoubt(SQLException cause, List<Taken> taken) {
      super(cause);
      this.taken = List.copyOf(taken);
    }

    public List<Taken> taken() {
      return taken;
    }
  }

  private record State(String phase, int token, int attempt, int losses) {}

  /** What waits of these sorts, in their order, and what there was room for a moment ago. */
  public List<Waiting> look(List<Sort> sorts) {
    return run(open -> LimitRows.look(open, sorts, marks));
  }

  /**
   * Starts jobs of a sort, as many as its limits let.
   *
   * @throws InDoubt when the commit got no answer
   */
  public Claim claim(UUID session, Sort sort, int wanted, Rules rules) {
    Claim claim = new Claim(new ArrayList<>(), new ArrayList<>());
    boolean committing = false;
    try {
      Connection open = connect();
      open.setAutoCommit(false);
      try {
        Leave leave = LimitRows.lock(open, sort);
        int may = (int) Math.min(wanted, leave.jobs());
        if (may > 0) {
          choose(open, sort, may, rules, claim);
          start(open, session, sort, leave, rules, claim);
        }
        committing = true;
        open.commit();
        return claim;
      } catch (SQLException | RuntimeException e) {
        open.rollback();
        throw e;
      } finally {
        open.setAutoCommit(true);
      }
    } catch (SQLException e) {
      if (Pg.fault(e) == Pg.Fault.LOCK || Pg.fault(e) == Pg.Fault.REPEAT) {
        return Claim.NOTHING; // somebody else claims there; again soon
      }
      close();
      if (committing && !claim.taken().isEmpty()) {
        throw new InDoubt(e, claim.taken());
      }
      throw new DatabaseException(e);
    }
  }

  /** Waits until no earlier claim of a lost connection is under way. */
  public void await() {
    run(open -> {
      open.setAutoCommit(false);
      try {
        LimitRows.lockAll(open);
      } finally {
        open.rollback();
        open.setAutoCommit(true);
      }
      return true;
    });
  }

  private void choose(Connection tx, Sort sort, int may, Rules rules, Claim claim)
      throws SQLException {
    sift(tx, sort, consume(tx, sort, may), may, rules, claim);
    if (claim.taken().size() < may && !claim.parked().isEmpty()) {
      // Many may wait for the same tag, with others behind them.
      sift(tx, sort, consume(tx, sort, ROWS_MAX), may, rules, claim);
    }
  }

  private static void start(
      Connection tx, UUID session, Sort sort, Leave leave, Rules rules, Claim claim)
      throws SQLException {
    Set<UUID> runs = run(tx, session, sort, leave.from(), claim.taken(), rules);
    claim.taken().removeIf(taken -> !runs.contains(taken.job().id()));
    if (!claim.taken().isEmpty()) {
      LimitRows.pay(tx, sort, claim.taken().size());
    }
    if (!claim.parked().isEmpty()) {
      ParkStore.pause(tx, claim.parked());
      DepthMoves depth = new DepthMoves();
      claim.parked().forEach(parked -> depth.leaves(sort.lane(), parked.jobId()));
      DepthStore.add(tx, depth);
    }
  }

  /** Adds what starts, and what is set aside, to the claim; the rest of the rows stays. */
  private static void sift(
      Connection tx, Sort sort, List<Batch> batches, int may, Rules rules, Claim claim)
      throws SQLException {
    if (batches.isEmpty()) {
      return;
    }
    Map<UUID, LoadedJob> found = load(tx, batches);
    List<Batch> rest = new ArrayList<>();
    for (Batch batch : batches) {
      List<Integer> left = new ArrayList<>();
      for (int i = 0; i < batch.size(); i++) {
        LoadedJob job = found.get(batch.jobIds()[i]);
        if (job == null || job.token() != batch.token(i)) {
          continue; // it has ended, or moved on
        }
        String tag = claim.taken().size() < may ? rules.pausedTag(job) : null;
        if (tag != null) {
          claim
              .parked()
              .add(new Parked(job.id(), sort.lane(), sort.kind(), tag, job.token(), job.attempt()));
        } else if (claim.taken().size() < may) {
          claim.taken().add(new Taken(job, batch.id()));
        } else {
          left.add(i);
        }
      }
      if (!left.isEmpty()) {
        rest.add(inPlaceOf(batch, left));
      }
    }
    DispatchStore.insert(tx, rest, false);
  }

  /** What is left of a batch keeps its place in the lane. */
  private static Batch inPlaceOf(Batch old, List<Integer> left) {
    UUID[] ids = new UUID[left.size()];
    int[] tokens = new int[left.size()];
    for (int i = 0; i < ids.length; i++) {
      ids[i] = old.jobIds()[left.get(i)];
      tokens[i] = old.token(left.get(i));
    }
    UUID id = BatchMaker.ofTheTimeOf(old.id());
    return new Batch(id, old.lane(), old.kind(), old.shard(), ids, tokens);
  }

  private List<Batch> consume(Connection tx, Sort sort, int may) throws SQLException {
    List<Batch> batches = new ArrayList<>();
    try (PreparedStatement statement = tx.prepareStatement(TAKE)) {
      int i = 0;
      statement.setString(++i, sort.lane().queue());
      statement.setString(++i, sort.lane().priorityClass());
      statement.setString(++i, sort.kind());
      statement.setObject(++i, marks.since(sort));
      statement.setString(++i, sort.kind());
      statement.setInt(++i, Math.min(may, ROWS_MAX));
      statement.setInt(++i, may);
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          batches.add(DispatchStore.batch(rows));
        }
      }
    }
    batches.sort((a, b) -> PgArray.UUID_ORDER.compare(a.id(), b.id()));
    return batches;
  }

  /** State rows are locked first, outcomes are read in a later statement (rule R1). */
  private static Map<UUID, LoadedJob> load(Connection tx, List<Batch> batches) throws SQLException {
    List<UUID> ids = new ArrayList<>();
    batches.forEach(batch -> ids.addAll(List.of(batch.jobIds())));
    ids.sort(PgArray.UUID_ORDER);
    PgArray all = PgArray.uuids(ids.toArray(UUID[]::new));
    Map<UUID, State> states = new HashMap<>();
    try (PreparedStatement statement = tx.prepareStatement(STATES)) {
      statement.setObject(1, all);
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          states.put(
              rows.getObject(1, UUID.class),
              new State(rows.getString(2), rows.getInt(3), rows.getInt(4), rows.getInt(5)));
        }
      }
    }
    Map<UUID, LoadedJob> found = new HashMap<>();
    try (PreparedStatement statement = tx.prepareStatement(JOBS)) {
      statement.setObject(1, all);
      statement.setObject(2, ids.getFirst());
      statement.setObject(3, ids.getLast());
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          UUID id = rows.getObject(1, UUID.class);
          State state = states.get(id);
          if (state == null || state.phase().equals("runnable")) {
            found.put(id, loaded(id, state, rows.getString(2), rows.getString(3)));
          }
        }
      }
    }
    return found;
  }

  private static LoadedJob loaded(
      UUID id, @Nullable State state, String payload, @Nullable String options) {
    return state == null
        ? new LoadedJob(id, 1, 1, true, payload, options)
        : new LoadedJob(id, state.token(), state.attempt(), true, payload, options, state.losses());
  }

  private static Set<UUID> run(
      Connection tx,
      UUID session,
      Sort sort,
      @Nullable OffsetDateTime from,
      List<Taken> chosen,
      Rules rules)
      throws SQLException {
    Set<UUID> runs = new HashSet<>();
    if (chosen.isEmpty()) {
      return runs;
    }
    List<Taken> sorted = new ArrayList<>(chosen);
    sorted.sort((a, b) -> PgArray.UUID_ORDER.compare(a.job().id(), b.job().id()));
    try (PreparedStatement statement = tx.prepareStatement(RUN)) {
      int i = 0;
      statement.setString(++i, sort.lane().queue());
      statement.setString(++i, sort.lane().priorityClass());
      statement.setString(++i, sort.kind());
      statement.setObject(++i, session);
      statement.setObject(++i, from, Types.TIMESTAMP_WITH_TIMEZONE);
      statement.setObject(++i, PgArray.uuids(sorted, taken -> taken.job().id()));
      statement.setObject(++i, PgArray.ints(sorted, taken -> taken.job().token()));
      statement.setObject(++i, PgArray.ints(sorted, taken -> taken.job().attempt()));
      statement.setObject(++i, PgArray.longs(sorted, taken -> rules.hardMillis(taken.job())));
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          runs.add(rows.getObject(1, UUID.class));
        }
      }
    }
    return runs;
  }

  private interface Work<T> {
    T on(Connection connection) throws SQLException;
  }

  private <T> T run(Work<T> work) {
    try {
      return work.on(connect());
    } catch (SQLException e) {
      close();
      throw new DatabaseException(e);
    }
  }

  private Connection connect() throws SQLException {
    Connection open = connection;
    if (open == null) {
      open = Pg.hot(url, "millpond-limits", LOCK_TIMEOUT_MILLIS, SOCKET_TIMEOUT_SECONDS);
      connection = open;
    }
    return open;
  }

  @Override
  public void close() {
    Connection open = connection;
    connection = null;
    if (open != null) {
      try {
        open.close();
      } catch (SQLException e) {
        return; // it is gone either way
      }
    }
  }
}
