package dev.millpond.engine.flow.store;

import dev.millpond.engine.audit.store.AuditStore;
import dev.millpond.engine.flow.Limit;
import dev.millpond.engine.flow.Limit.Rate;
import dev.millpond.engine.flow.LimitView;
import dev.millpond.engine.flow.Limited;
import dev.millpond.engine.flow.Pause.Scope;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Types;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Limits as they are set, and who holds them. The caller owns the transaction. Stateless. */
public final class LimitStore {
  /**
   * The tokens of a row's bucket now: what has come since it was last filled, and no more than
   * fits. A clock that was set back takes none away.
   */
  public static final String TOKENS =
      """
      least(l.burst, l.tokens + l.permits
                * greatest(0, extract(epoch FROM clock_timestamp() - l.filled_at))
                * 1000 / l.per_millis)
      """;

  private static final String READ =
      "SELECT scope, name, concurrency, permits, per_millis, burst FROM millpond.flow_limit";

  /** A bucket that there was keeps its tokens, a new one is full. */
  private static final String SET =
      """
      INSERT INTO millpond.flow_limit AS l
             (scope, name, concurrency, permits, per_millis, burst, tokens)
      VALUES (?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT (scope, name) DO UPDATE
          SET concurrency = excluded.concurrency, permits = excluded.permits,
              per_millis = excluded.per_millis, burst = excluded.burst,
              tokens = CASE WHEN l.permits IS NULL THEN excluded.tokens
                            ELSE least(coalesce(excluded.burst, 0),
      """
          + TOKENS
          + """
                                ) END,
                  filled_at = clock_timestamp(), changed_at = now(), settled = false,
                  counted_from = NULL, elders = NULL, count_all_at = NULL
          """;

  /** Of buckets that were filled in a time to come, since the clock was set back meanwhile. */
  private static final String GO_ON =
      """
      UPDATE millpond.flow_limit SET filled_at = clock_timestamp()
      WHERE filled_at > clock_timestamp() + interval '1 second'
      """;

  private static final String STANDINGS =
      "SELECT l.scope, l.name, l.concurrency, "
          + LimitHolders.RUNNING
          + ", "
          + TOKENS
          + " FROM millpond.flow_limit l "
          + LimitHolders.MARK
          + " ORDER BY l.scope, l.name";

  private static final String RESET =
      "DELETE FROM millpond.flow_limit WHERE scope = ? AND name = ?";

  private static final String FACTS =
      """
      SELECT jsonb_strip_nulls(jsonb_build_object(
          'concurrency', concurrency, 'permits', permits, 'perMillis', per_millis, 'burst', burst))
      FROM millpond.flow_limit WHERE scope = ? AND name = ?
      """;

  private LimitStore() {}

  /** The limit, for the audit; null when there is none. */
  public static @Nullable String facts(Connection tx, Scope scope, String name)
      throws SQLException {
    return AuditStore.json(tx, FACTS, scope.word(), name);
  }

  /**
   * How far a limit is used.
   *
   * @param concurrency jobs that may run at a time; null for no bound
   * @param running of them; 0 without a bound
   * @param tokens in the bucket; null without a rate
   */
  public record Standing(
      Scope scope,
      String name,
      @Nullable Integer concurrency,
      long running,
      @Nullable Double tokens) {}

  /** Of all limits. */
  public static List<Standing> standings(Connection connection) throws SQLException {
    List<Standing> standings = new ArrayList<>();
    try (Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(STANDINGS)) {
      while (rows.next()) {
        standings.add(
            new Standing(
                Scope.of(rows.getString(1)),
                rows.getString(2),
                rows.getObject(3, Integer.class),
                rows.getLong(4),
                rows.getObject(5, Double.class)));
      }
    }
    return standings;
  }

  /**
   * Fills buckets from now on that would not be filled before a time to come: the clock was set
   * back. What they have stays, so no more starts than without that.
   */
  public static int goOn(Connection tx) throws SQLException {
    try (Statement statement = tx.createStatement()) {
      return statement.executeUpdate(GO_ON);
    }
  }

  static Limited read(Connection tx) throws SQLException {
    Map<String, Limit> queues = new HashMap<>();
    Map<String, Limit> kinds = new HashMap<>();
    try (Statement statement = tx.createStatement();
        ResultSet rows = statement.executeQuery(READ)) {
      while (rows.next()) {
        (Scope.of(rows.getString(1)) == Scope.QUEUE ? queues : kinds)
            .put(rows.getString(2), limit(rows, 3));
      }
    }
    return queues.isEmpty() && kinds.isEmpty() ? Limited.NONE : new Limited(queues, kinds);
  }

  private static Limit limit(ResultSet row, int from) throws SQLException {
    Integer permits = row.getObject(from + 1, Integer.class);
    return new Limit(
        row.getObject(from, Integer.class),
        permits == null
            ? null
            : new Rate(permits, Duration.ofMillis(row.getLong(from + 2)), row.getInt(from + 3)));
  }

  /** How many there are. */
  public static int count(Connection tx) throws SQLException {
    try (Statement statement = tx.createStatement();
        ResultSet row = statement.executeQuery("SELECT count(*) FROM millpond.flow_limit")) {
      row.next();
      return row.getInt(1);
    }
  }

  /** Sets a limit; waits for claims under it that are under way. */
  public static void set(Connection tx, Scope scope, String name, Limit limit) throws SQLException {
    Rate rate = limit.rate();
    try (PreparedStatement statement = tx.prepareStatement(SET)) {
      statement.setString(1, scope.word());
      statement.setString(2, name);
      statement.setObject(3, limit.concurrency(), Types.INTEGER);
      statement.setObject(4, rate == null ? null : rate.permits(), Types.INTEGER);
      statement.setObject(5, rate == null ? null : rate.per().toMillis(), Types.BIGINT);
      statement.setObject(6, rate == null ? null : rate.burst(), Types.INTEGER);
      statement.setDouble(7, rate == null ? 0 : rate.burst());
      statement.executeUpdate();
    }
  }

  /** Whether there was one. */
  public static boolean reset(Connection tx, Scope scope, String name) throws SQLException {
    try (PreparedStatement statement = tx.prepareStatement(RESET)) {
      statement.setString(1, scope.word());
      statement.setString(2, name);
      return statement.executeUpdate() == 1;
    }
  }

  /** A queue's or kind's limit, and who runs. */
  public static LimitView view(Connection tx, Scope scope, String name) throws SQLException {
    String column = scope == Scope.QUEUE ? "queue" : "kind";
    Limit limit = null;
    Double tokens = null;
    String read =
        "SELECT l.concurrency, l.permits, l.per_millis, l.burst, "
            + TOKENS
            + " FROM millpond.flow_limit l WHERE l.scope = ? AND l.name = ?";
    try (PreparedStatement statement = tx.prepareStatement(read)) {
      statement.setString(1, scope.word());
      statement.setString(2, name);
      try (ResultSet row = statement.executeQuery()) {
        if (row.next()) {
          limit = limit(row, 1);
          tokens = row.getObject(5, Double.class);
        }
      }
    }
    List<UUID> holders = new ArrayList<>();
    long running = 0;
    // In the order of the index of running jobs: by id, all state rows would be walked.
    String who =
        "SELECT job_id, count(*) OVER () FROM millpond.job_state WHERE phase = 'running' AND "
            + column
            + " = ? ORDER BY started_at, job_id LIMIT "
            + LimitView.HOLDERS_MAX;
    try (PreparedStatement statement = tx.prepareStatement(who)) {
      statement.setString(1, name);
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          holders.add(rows.getObject(1, UUID.class));
          running = rows.getLong(2);
        }
      }
    }
    return new LimitView(limit, running, holders, tokens);
  }
}
