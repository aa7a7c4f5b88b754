package dev.millpond.engine.worker.store;

import dev.millpond.engine.dispatch.Batch;
import dev.millpond.engine.dispatch.BatchMaker;
import dev.millpond.engine.dispatch.Lane;
import dev.millpond.engine.dispatch.store.DispatchStore;
import dev.millpond.engine.flow.store.LimitStore;
import dev.millpond.engine.lifecycle.store.DatabaseException;
import dev.millpond.engine.lifecycle.store.Pg;
import dev.millpond.engine.lifecycle.store.PgArray;
import dev.millpond.engine.worker.store.ClaimStore.LoadedJob;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.function.ToLongFunction;
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

  /** How long after a change a process may still go by what was before. */
  private static final String FOLLOWED = "interval '3 s'";

  private static final String RUNNING =
      """
      CASE l.scope
          WHEN 'queue' THEN (SELECT count(*) FROM millpond.job_state s
                             WHERE s.phase = 'running' AND s.queue = l.name)
          ELSE (SELECT count(*) FROM millpond.job_state s
                WHERE s.phase = 'running' AND s.kind = l.name)
      END
      """;

  /** What was let go before the limit, or by a process that did not know of it yet. */
  private static final String ON_THEIR_WAY =
      """
      CASE WHEN l.settled OR l.concurrency IS NULL THEN 0 ELSE (
          SELECT coalesce(sum(cardinality(d.job_ids)), 0) FROM millpond.dispatch d
          WHERE (d.sent_at IS NOT NULL OR d.claimed_by IS NOT NULL)
            AND CASE l.scope WHEN 'queue' THEN d.queue ELSE d.kind END = l.name)
      END
      """;

  private static final String TOKENS = "floor(" + LimitStore.TOKENS + ")";

  private static final String NEXT_TOKEN =
      "ceil((1 - (" + LimitStore.TOKENS + ")) * l.per_millis / l.permits)";

  /** A look at all limits, without their locks: what it says is only a reason to try. */
  private static final String LOOK =
      "SELECT l.scope, l.name, l.concurrency - "
          + RUNNING
          + ", "
          + TOKENS
          + ", "
          + NEXT_TOKEN
          + " FROM millpond.flow_limit l";

  private static final String WAITING =
      """
      SELECT l.queue, l.class, l.kind
      FROM unnest(?::text[], ?::text[], ?::text[]) WITH ORDINALITY AS l (queue, class, kind, n)
      CROSS JOIN LATERAL (
          SELECT d.id FROM millpond.dispatch d
          WHERE d.queue = l.queue AND d.class = l.class AND d.kind >= l.kind AND d.kind <= l.kind
            AND d.sent_at IS NULL AND d.claimed_by IS NULL
          ORDER BY d.kind, d.id LIMIT 1) AS first
      ORDER BY l.n
      """;

  private static final String LOCK =
      """
      SELECT scope FROM millpond.flow_limit
      WHERE (scope, name) IN (('queue', ?), ('kind', ?)) ORDER BY scope, name FOR UPDATE
      """;

  private static final String LOCK_ALL =
      "SELECT scope FROM millpond.flow_limit ORDER BY scope, name FOR UPDATE";

  /** In a statement after the lock: it sees what those have committed that had it before. */
  private static final String ROOM =
      "SELECT l.scope, l.concurrency - v.running - v.moving, "
          + TOKENS
          + ", NOT l.settled AND v.moving = 0 AND l.changed_at < now() - "
          + FOLLOWED
          + " FROM millpond.flow_limit l CROSS JOIN LATERAL (SELECT "
          + RUNNING
          + " AS running, "
          + ON_THEIR_WAY
          + " AS moving) v WHERE (l.scope, l.name) IN (('queue', ?), ('kind', ?))";

  private static final String TAKE =
      """
      DELETE FROM millpond.dispatch WHERE id = ANY (ARRAY (
          SELECT v.id FROM (
              SELECT w.id, sum(w.n) OVER (ORDER BY w.id) - w.n AS ahead FROM (
                  SELECT id, cardinality(job_ids) AS n FROM millpond.dispatch
                  WHERE queue = ? AND class = ? AND kind >= ? AND kind <= ?
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
      SELECT u.id, ?, ?, ?, 'running', u.token, u.attempt, ?, now(), now(),
             now() + u.deadline * interval '1 millisecond'
      FROM unnest(?::uuid[], ?::int4[], ?::int4[], ?::int8[]) AS u (id, token, attempt, deadline)
      ON CONFLICT (job_id) DO UPDATE
          SET phase = 'running', wait_reason = NULL, session = excluded.session, alone = false,
              started_at = excluded.started_at, seen_at = excluded.seen_at,
              deadline = excluded.deadline
          WHERE job_state.lease_token = excluded.lease_token AND job_state.phase = 'runnable'
      RETURNING job_id
      """;

  private static final String PAY =
      """
      UPDATE millpond.flow_limit l
      SET tokens = CASE WHEN l.permits IS NULL THEN 0 ELSE
      """
          + LimitStore.TOKENS
          + """
              - ? END, filled_at = clock_timestamp()
          WHERE (l.scope, l.name) IN (('queue', ?), ('kind', ?)) AND l.permits IS NOT NULL
          """;

  private static final String SETTLE =
      """
      UPDATE millpond.flow_limit SET settled = true
      WHERE scope = ? AND name = CASE scope WHEN 'queue' THEN ? ELSE ? END
      """;

  private final String url;
  private @Nullable Connection connection;

  public LimitedClaimStore(String url) {
    this.url = url;
  }

  /**
   * What there is room for under a limit.
   *
   * @param jobs that may start now
   * @param nextMillis until the next token comes; 0 where none is missing
   */
  public record Room(boolean ofQueue, String name, long jobs, long nextMillis) {}

  /** A queue, class and kind. */
  public record Sort(Lane lane, String kind) {}

  /**
   * A job that runs from now on.
   *
   * @param from the dispatch row that it came in
   */
  public record Taken(LoadedJob job, UUID from) {}

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

  /** All limits, and what there is room for under each, as of a moment ago. */
  public List<Room> look() {
    return run(open -> {
      List<Room> rooms = new ArrayList<>();
      try (Statement statement = open.createStatement();
          ResultSet rows = statement.executeQuery(LOOK)) {
        while (rows.next()) {
          long jobs = Long.MAX_VALUE;
          long free = rows.getLong(3);
          jobs = rows.wasNull() ? jobs : free;
          long tokens = rows.getLong(4);
          jobs = rows.wasNull() ? jobs : Math.min(jobs, tokens);
          long next = Math.max(0, rows.getLong(5));
          rooms.add(
              new Room(
                  rows.getString(1).equals("queue"), rows.getString(2), Math.max(0, jobs), next));
        }
      }
      return rooms;
    });
  }

  /** Those of the sorts of which rows wait, in their order. */
  public List<Sort> waiting(List<Sort> sorts) {
    return run(open -> {
      List<Sort> waiting = new ArrayList<>();
      try (PreparedStatement statement = open.prepareStatement(WAITING)) {
        statement.setObject(1, PgArray.texts(sorts, sort -> sort.lane().queue()));
        statement.setObject(2, PgArray.texts(sorts, sort -> sort.lane().priorityClass()));
        statement.setObject(3, PgArray.texts(sorts, Sort::kind));
        try (ResultSet rows = statement.executeQuery()) {
          while (rows.next()) {
            waiting.add(
                new Sort(new Lane(rows.getString(1), rows.getString(2)), rows.getString(3)));
          }
        }
      }
      return waiting;
    });
  }

  /**
   * Starts jobs of a sort, as many as its limits let.
   *
   * @param hardMillis until the deadline of a job
   * @throws InDoubt when the commit got no answer
   */
  public List<Taken> claim(
      UUID session, Sort sort, int wanted, ToLongFunction<LoadedJob> hardMillis) {
    List<Taken> taken = new ArrayList<>();
    boolean committing = false;
    try {
      Connection open = connect();
      open.setAutoCommit(false);
      try {
        int may = (int) Math.min(wanted, room(open, sort));
        if (may > 0) {
          taken.addAll(take(open, session, sort, may, hardMillis));
        }
        committing = true;
        open.commit();
        return taken;
      } catch (SQLException | RuntimeException e) {
        open.rollback();
        throw e;
      } finally {
        open.setAutoCommit(true);
      }
    } catch (SQLException e) {
      if (Pg.fault(e) == Pg.Fault.LOCK || Pg.fault(e) == Pg.Fault.REPEAT) {
        return List.of(); // somebody else claims there; again soon
      }
      close();
      if (committing && !taken.isEmpty()) {
        throw new InDoubt(e, taken);
      }
      throw new DatabaseException(e);
    }
  }

  /** Waits until no earlier claim of a lost connection is under way. */
  public void await() {
    run(open -> {
      open.setAutoCommit(false);
      try (Statement statement = open.createStatement()) {
        statement.execute(LOCK_ALL);
      } finally {
        open.rollback();
        open.setAutoCommit(true);
      }
      return true;
    });
  }

  private static long room(Connection tx, Sort sort) throws SQLException {
    boolean limited;
    try (PreparedStatement statement = tx.prepareStatement(LOCK)) {
      bind(statement, 1, sort);
      try (ResultSet rows = statement.executeQuery()) {
        limited = rows.next();
      }
    }
    if (!limited) {
      return 0; // not any more: it is claimed as all else is
    }
    long room = Long.MAX_VALUE;
    List<String> settled = new ArrayList<>();
    try (PreparedStatement statement = tx.prepareStatement(ROOM)) {
      bind(statement, 1, sort);
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          long free = rows.getLong(2);
          room = rows.wasNull() ? room : Math.min(room, free);
          long tokens = rows.getLong(3);
          room = rows.wasNull() ? room : Math.min(room, tokens);
          if (rows.getBoolean(4)) {
            settled.add(rows.getString(1));
          }
        }
      }
    }
    for (String scope : settled) {
      try (PreparedStatement statement = tx.prepareStatement(SETTLE)) {
        statement.setString(1, scope);
        bind(statement, 2, sort);
        statement.executeUpdate();
      }
    }
    return room;
  }

  private static void bind(PreparedStatement statement, int at, Sort sort) throws SQLException {
    statement.setString(at, sort.lane().queue());
    statement.setString(at + 1, sort.kind());
  }

  private static List<Taken> take(
      Connection tx, UUID session, Sort sort, int may, ToLongFunction<LoadedJob> hardMillis)
      throws SQLException {
    List<Batch> batches = consume(tx, sort, may);
    if (batches.isEmpty()) {
      return List.of();
    }
    Map<UUID, LoadedJob> found = load(tx, batches);
    List<Taken> chosen = new ArrayList<>();
    List<Batch> rest = new ArrayList<>();
    for (Batch batch : batches) {
      List<Integer> left = new ArrayList<>();
      for (int i = 0; i < batch.size(); i++) {
        LoadedJob job = found.get(batch.jobIds()[i]);
        if (job == null || job.token() != batch.token(i)) {
          continue; // it has ended, or moved on
        }
        if (chosen.size() < may) {
          chosen.add(new Taken(job, batch.id()));
        } else {
          left.add(i);
        }
      }
      if (!left.isEmpty()) {
        rest.add(inPlaceOf(batch, left));
      }
    }
    Set<UUID> runs = run(tx, session, sort, chosen, hardMillis);
    chosen.removeIf(taken -> !runs.contains(taken.job().id()));
    DispatchStore.insert(tx, rest, false);
    try (PreparedStatement statement = tx.prepareStatement(PAY)) {
      statement.setInt(1, chosen.size());
      bind(statement, 2, sort);
      statement.executeUpdate();
    }
    return chosen;
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

  private static List<Batch> consume(Connection tx, Sort sort, int may) throws SQLException {
    List<Batch> batches = new ArrayList<>();
    try (PreparedStatement statement = tx.prepareStatement(TAKE)) {
      int i = 0;
      statement.setString(++i, sort.lane().queue());
      statement.setString(++i, sort.lane().priorityClass());
      statement.setString(++i, sort.kind());
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
      List<Taken> chosen,
      ToLongFunction<LoadedJob> hardMillis)
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
      statement.setObject(++i, PgArray.uuids(sorted, taken -> taken.job().id()));
      statement.setObject(++i, PgArray.ints(sorted, taken -> taken.job().token()));
      statement.setObject(++i, PgArray.ints(sorted, taken -> taken.job().attempt()));
      statement.setObject(++i, PgArray.longs(sorted, taken -> hardMillis.applyAsLong(taken.job())));
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
