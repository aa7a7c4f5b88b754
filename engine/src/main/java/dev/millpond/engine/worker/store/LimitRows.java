package dev.millpond.engine.worker.store;

import dev.millpond.engine.flow.store.LimitStore;
import dev.millpond.engine.worker.store.LimitedClaimStore.Room;
import dev.millpond.engine.worker.store.LimitedClaimStore.Sort;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;

/**
 * The rows of limits as a claim uses them (ADR 32): it locks those that are involved, counts who
 * holds their places, and pays from their buckets. The caller owns the transaction. Stateless.
 */
final class LimitRows {
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

  /** All limits, and what there is room for under each, as of a moment ago. */
  static List<Room> look(Connection connection) throws SQLException {
    List<Room> rooms = new ArrayList<>();
    try (Statement statement = connection.createStatement();
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
  }

  /** Waits until no claim is under way. */
  static void lockAll(Connection tx) throws SQLException {
    try (Statement statement = tx.createStatement()) {
      statement.execute(LOCK_ALL);
    }
  }

  /** Locks the limits of a sort; how many jobs of it may start. */
  static long lock(Connection tx, Sort sort) throws SQLException {
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
