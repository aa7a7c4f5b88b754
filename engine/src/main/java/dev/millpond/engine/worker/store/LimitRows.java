package dev.millpond.engine.worker.store;

import dev.millpond.engine.dispatch.Lane;
import dev.millpond.engine.dispatch.LaneMarks;
import dev.millpond.engine.flow.store.LimitHolders;
import dev.millpond.engine.flow.store.LimitStore;
import dev.millpond.engine.lifecycle.store.PgArray;
import dev.millpond.engine.worker.store.LimitedClaimStore.Sort;
import dev.millpond.engine.worker.store.LimitedClaimStore.Waiting;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The rows of limits as a claim uses them (ADR 32): it locks those that are involved, counts who
 * holds their places, and pays from their buckets. The caller owns the transaction. Stateless.
 */
final class LimitRows {
  /** How long after a change a process may still go by what was before. */
  private static final String FOLLOWED = "interval '3 s'";

  /** Between two marks, so that the row of a limit is not written with each claim. */
  private static final String MARKED_EVERY = "interval '1 s'";

  /** Holders that have run for longest are named, so that the mark does not wait for them. */
  private static final int ELDERS_MAX = 64;

  /** All are counted as often as this, should one have come to run without a claim under limits. */
  private static final long COUNT_ALL_MILLIS = 10_000;

  /** Counting all may take this share of the time. */
  private static final int COUNT_ALL_SHARE = 20;

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

  /**
   * What waits, and what there is room for, without locks: what it says is only a reason to try.
   */
  private static final String LOOK =
      """
      WITH waiting AS MATERIALIZED (
          SELECT l.queue, l.class, l.kind, l.n, first.id
          FROM unnest(?::text[], ?::text[], ?::text[], ?::uuid[])
               WITH ORDINALITY AS l (queue, class, kind, mark, n)
          CROSS JOIN LATERAL (
              SELECT d.id FROM millpond.dispatch d
              WHERE d.queue = l.queue AND d.class = l.class
                AND (d.kind, d.id) > (l.kind, l.mark) AND d.kind <= l.kind
                AND d.sent_at IS NULL AND d.claimed_by IS NULL
              ORDER BY d.kind, d.id LIMIT 1) AS first),
      room AS MATERIALIZED (
          SELECT l.scope, l.name, l.concurrency - %s AS places, %s AS tokens, %s AS next
          FROM millpond.flow_limit l %s
          WHERE (l.scope, l.name) IN (SELECT 'queue', w.queue FROM waiting w
                                      UNION SELECT 'kind', w.kind FROM waiting w))
      SELECT w.queue, w.class, w.kind, w.id, least(q.places, q.tokens, k.places, k.tokens),
             greatest(q.next, k.next)
      FROM waiting w
      LEFT JOIN room q ON q.scope = 'queue' AND q.name = w.queue
      LEFT JOIN room k ON k.scope = 'kind' AND k.name = w.kind
      ORDER BY w.n
      """
          .formatted(LimitHolders.RUNNING, TOKENS, NEXT_TOKEN, LimitHolders.MARK);

  private static final String LOCK =
      """
      SELECT scope FROM millpond.flow_limit
      WHERE (scope, name) IN (('queue', ?), ('kind', ?)) ORDER BY scope, name FOR UPDATE
      """;

  private static final String LOCK_ALL =
      "SELECT scope FROM millpond.flow_limit ORDER BY scope, name FOR UPDATE";

  /** In a statement after the lock: it sees what those have committed that had it before. */
  private static final String ROOM =
      """
      SELECT l.scope, l.concurrency - v.running - v.moving, %s,
             NOT l.settled AND v.moving = 0 AND l.changed_at < now() - %s,
             l.settled AND l.concurrency IS NOT NULL
                 AND NOT (h.holds AND l.counted_from > clock_timestamp() - %s),
             l.counted_from
      FROM millpond.flow_limit l %s
      CROSS JOIN LATERAL (SELECT %s AS running, %s AS moving) v
      WHERE (l.scope, l.name) IN (('queue', ?), ('kind', ?))
      """
          .formatted(
              TOKENS,
              FOLLOWED,
              MARKED_EVERY,
              LimitHolders.MARK,
              LimitHolders.RUNNING,
              ON_THEIR_WAY);

  private static final String SET_MARK_OF_QUEUE = setMark(LimitHolders.OF_QUEUE);
  private static final String SET_MARK_OF_KIND = setMark(LimitHolders.OF_KIND);

  /**
   * Under the lock nobody else begins, and whoever begins later says a later time: so those are all
   * that run and have begun before the mark.
   */
  private static String setMark(String holders) {
    return """
    UPDATE millpond.flow_limit t
    SET counted_from = n.since, elders = n.elders,
        count_all_at = CASE WHEN n.holds THEN t.count_all_at
                            ELSE clock_timestamp() + ? * interval '1 millisecond' END
    FROM (SELECT l.scope, l.name, h.holds, e.elders, e.since FROM millpond.flow_limit l %s
          CROSS JOIN LATERAL (
              SELECT coalesce(array_agg(o.job_id), '{}') AS elders,
                     CASE WHEN count(*) < %d THEN clock_timestamp() ELSE max(o.started_at) END
                         AS since
              FROM (SELECT r.job_id, r.started_at FROM (%s) r
                    ORDER BY r.started_at LIMIT %d) o) e) n
    WHERE t.scope = ? AND t.name = ? AND (n.scope, n.name) = (t.scope, t.name)
    RETURNING t.counted_from
    """
        .formatted(LimitHolders.MARK, ELDERS_MAX, holders, ELDERS_MAX);
  }

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

  private LimitRows() {}

  /**
   * What waits of sorts, and what there was room for a moment ago, in their order.
   *
   * @param marks where to start to look
   */
  static List<Waiting> look(Connection connection, List<Sort> sorts, LaneMarks<Sort> marks)
      throws SQLException {
    List<Waiting> waiting = new ArrayList<>();
    marks.begin();
    List<UUID> from = sorts.stream().map(marks::from).toList();
    try (PreparedStatement statement = connection.prepareStatement(LOOK)) {
      statement.setObject(1, PgArray.texts(sorts, sort -> sort.lane().queue()));
      statement.setObject(2, PgArray.texts(sorts, sort -> sort.lane().priorityClass()));
      statement.setObject(3, PgArray.texts(sorts, Sort::kind));
      statement.setObject(4, PgArray.uuids(from, id -> id));
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          Sort sort = new Sort(new Lane(rows.getString(1), rows.getString(2)), rows.getString(3));
          marks.found(sort, rows.getObject(4, UUID.class));
          waiting.add(
              new Waiting(sort, Math.max(0, rows.getLong(5)), Math.max(0, rows.getLong(6))));
        }
      }
    }
    marks.end();
    return waiting;
  }

  /** Waits until no claim is under way. */
  static void lockAll(Connection tx) throws SQLException {
    try (Statement statement = tx.createStatement()) {
      statement.execute(LOCK_ALL);
    }
  }

  /**
   * What the limits of a sort let start.
   *
   * @param from no start may have an earlier time than this; null for any
   */
  record Leave(long jobs, @Nullable OffsetDateTime from) {
    static final Leave NONE = new Leave(0, null);
  }

  /** Locks the limits of a sort; how many jobs of it may start. */
  static Leave lock(Connection tx, Sort sort) throws SQLException {
    boolean limited;
    try (PreparedStatement statement = tx.prepareStatement(LOCK)) {
      bind(statement, 1, sort);
      try (ResultSet rows = statement.executeQuery()) {
        limited = rows.next();
      }
    }
    if (!limited) {
      return Leave.NONE; // not any more: it is claimed as all else is
    }
    long jobs = Long.MAX_VALUE;
    OffsetDateTime from = null;
    List<String> settled = new ArrayList<>();
    List<String> toMark = new ArrayList<>();
    long began = System.nanoTime();
    try (PreparedStatement statement = tx.prepareStatement(ROOM)) {
      bind(statement, 1, sort);
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          long places = rows.getLong(2);
          jobs = rows.wasNull() ? jobs : Math.min(jobs, places);
          long tokens = rows.getLong(3);
          jobs = rows.wasNull() ? jobs : Math.min(jobs, tokens);
          if (rows.getBoolean(4)) {
            settled.add(rows.getString(1));
          }
          if (rows.getBoolean(5)) {
            toMark.add(rows.getString(1));
          }
          from = later(from, rows.getObject(6, OffsetDateTime.class));
        }
      }
    }
    long tookMillis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - began);
    for (String scope : settled) {
      try (PreparedStatement statement = tx.prepareStatement(SETTLE)) {
        statement.setString(1, scope);
        bind(statement, 2, sort);
        statement.executeUpdate();
      }
    }
    for (String scope : toMark) {
      from = later(from, mark(tx, scope, sort, tookMillis));
    }
    return new Leave(jobs, from);
  }

  private static @Nullable OffsetDateTime mark(
      Connection tx, String scope, Sort sort, long tookMillis) throws SQLException {
    boolean ofQueue = scope.equals("queue");
    try (PreparedStatement statement =
        tx.prepareStatement(ofQueue ? SET_MARK_OF_QUEUE : SET_MARK_OF_KIND)) {
      statement.setLong(1, Math.max(COUNT_ALL_MILLIS, COUNT_ALL_SHARE * tookMillis));
      statement.setString(2, scope);
      statement.setString(3, ofQueue ? sort.lane().queue() : sort.kind());
      try (ResultSet rows = statement.executeQuery()) {
        return rows.next() ? rows.getObject(1, OffsetDateTime.class) : null;
      }
    }
  }

  private static @Nullable OffsetDateTime later(
      @Nullable OffsetDateTime a, @Nullable OffsetDateTime b) {
    return a == null || (b != null && b.isAfter(a)) ? b : a;
  }

  /** Takes tokens of so many jobs. */
  static void pay(Connection tx, Sort sort, int jobs) throws SQLException {
    try (PreparedStatement statement = tx.prepareStatement(PAY)) {
      statement.setInt(1, jobs);
      bind(statement, 2, sort);
      statement.executeUpdate();
    }
  }

  private static void bind(PreparedStatement statement, int at, Sort sort) throws SQLException {
    statement.setString(at, sort.lane().queue());
    statement.setString(at + 1, sort.kind());
  }
}
