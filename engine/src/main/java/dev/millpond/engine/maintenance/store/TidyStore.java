package dev.millpond.engine.maintenance.store;

import dev.millpond.engine.access.store.ApiKeyStore;
import dev.millpond.engine.audit.store.AuditStore;
import dev.millpond.engine.books.store.BooksStore;
import dev.millpond.engine.lifecycle.store.JobTables;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;

/** Removes what is of no use any more, in bounded steps. The caller owns the transaction. */
public final class TidyStore {
  private static final Map<String, String> STEPS = steps();

  private TidyStore() {}

  private static Map<String, String> steps() {
    Map<String, String> steps = new LinkedHashMap<>();
    steps.put(
        "flush markers",
        """
        DELETE FROM millpond.flush_marker WHERE ctid = ANY (ARRAY (
            SELECT ctid FROM millpond.flush_marker
            WHERE flushed_at < now() - interval '1 hour' LIMIT ?))
        """);
    steps.put(
        "cancel notices",
        """
        DELETE FROM millpond.cancel_notice WHERE job_id = ANY (ARRAY (
            SELECT job_id FROM millpond.cancel_notice
            WHERE requested_at < now() - interval '10 minutes' LIMIT ?))
        """);
    // Locked first: a key that a submit is taking over at this moment is not expired any more.
    steps.put(
        "idempotency keys",
        """
        DELETE FROM millpond.idempotency_key WHERE ctid = ANY (ARRAY (
            SELECT ctid FROM millpond.idempotency_key
            WHERE expires_at < now() ORDER BY expires_at LIMIT ? FOR UPDATE SKIP LOCKED))
        """);
    steps.put(
        "results",
        """
        DELETE FROM millpond.job_result WHERE job_id = ANY (ARRAY (
            SELECT job_id FROM millpond.job_result
            WHERE expires_at < now() ORDER BY expires_at LIMIT ?))
        """);
    steps.put(
        "states of ended jobs",
        """
        DELETE FROM millpond.job_state WHERE job_id = ANY (ARRAY (
            SELECT s.job_id FROM millpond.job_state s
            JOIN millpond.job_outcome o ON o.job_id = s.job_id
            WHERE s.phase IN ('runnable', 'scheduled') LIMIT ?))
        """);
    steps.put(
        "sessions",
        """
        DELETE FROM millpond.api_session WHERE hash = ANY (ARRAY (
            SELECT hash FROM millpond.api_session WHERE expires_at < now() LIMIT ?))
        """);
    return steps;
  }

  /**
   * Runs each step once, of at most {@code limit} rows; what it removed by name.
   *
   * @param audit how long entries of the audit are kept, and keys that have ended
   */
  public static Map<String, Integer> tidy(Connection tx, int limit, Duration audit)
      throws SQLException {
    Map<String, Integer> removed = new LinkedHashMap<>();
    for (Map.Entry<String, String> step : STEPS.entrySet()) {
      try (PreparedStatement statement = tx.prepareStatement(step.getValue())) {
        statement.setInt(1, limit);
        removed.put(step.getKey(), statement.executeUpdate());
      }
    }
    removed.put("keys", ApiKeyStore.trim(tx, audit, limit));
    removed.put("audit entries", AuditStore.trim(tx, audit, limit));
    return removed;
  }

  /**
   * What a count anew has corrected.
   *
   * @param lanes that were off
   * @param by how much, in jobs or bytes
   */
  public record Corrected(int lanes, long by) {}

  /**
   * Corrects the counted depths: a flush counts what it asks for, and some of it may turn out
   * stale. The difference is of one snapshot and is added, so flushes go on meanwhile.
   */
  public static Corrected recalibrateDepth(Connection tx) throws SQLException {
    String sql =
        "WITH i AS (INSERT INTO millpond.queue_depth (queue, class, delta)"
            + " SELECT queue, class, actual - counted FROM ("
            + BooksStore.DEPTHS
            + ") AS d WHERE counted <> actual RETURNING delta)"
            + " SELECT count(*), coalesce(sum(abs(delta)), 0) FROM i";
    return corrected(tx, sql);
  }

  /**
   * Corrects the counted bytes of payloads. They are off while processes of an earlier version run,
   * which do not count them. Lanes with more than {@link #BYTES_JOBS} jobs are left for later.
   */
  public static Corrected recalibrateBytes(Connection tx) throws SQLException {
    JobTables.hold(tx);
    String sql =
        "WITH i AS (INSERT INTO millpond.queue_depth (queue, class, delta, bytes)"
            + " SELECT queue, class, 0, actual - counted FROM ("
            + BooksStore.bytes(BYTES_JOBS)
            + ") AS d WHERE counted <> actual RETURNING bytes)"
            + " SELECT count(*), coalesce(sum(abs(bytes)), 0) FROM i";
    return corrected(tx, sql);
  }

  /** Each job's row is read: more of them take seconds. */
  private static final int BYTES_JOBS = 100_000;

  private static Corrected corrected(Connection tx, String sql) throws SQLException {
    try (Statement statement = tx.createStatement();
        ResultSet row = statement.executeQuery(sql)) {
      row.next();
      return new Corrected(row.getInt(1), row.getLong(2));
    }
  }

  /** While it waits for a lock of the default partitions, readers wait for it. */
  private static final int PARTITION_LOCK_MILLIS = 100;

  /** Makes the partitions of the days around today; how many days were new. */
  public static int ensurePartitions(Connection tx, int behind, int ahead) throws SQLException {
    String sql =
        """
        SELECT count(*) FILTER (WHERE made) FROM (
            SELECT millpond.ensure_partitions((now() AT TIME ZONE 'UTC')::date + d) AS made
            FROM generate_series(-?, ?) AS d) AS days
        """;
    try (Statement statement = tx.createStatement()) {
      statement.execute("SET LOCAL lock_timeout = " + PARTITION_LOCK_MILLIS);
    }
    try (PreparedStatement statement = tx.prepareStatement(sql)) {
      statement.setInt(1, behind);
      statement.setInt(2, ahead);
      try (ResultSet row = statement.executeQuery()) {
        row.next();
        return row.getInt(1);
      }
    }
  }
}
