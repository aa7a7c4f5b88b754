package dev.millpond.engine.maintenance.store;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;

/** Reads what PostgreSQL says of itself and of this database. Stateless. */
public final class FiguresStore {
  /** What a figure is of. */
  public enum Of {
    CONNECTIONS,
    CONNECTIONS_MAX,
    OLDEST_SECONDS,
    LOCK_WAITS,
    LIVE_ROWS,
    DEAD_ROWS,
    WAL_BYTES,
    COMMITS,
    ROLLBACKS
  }

  /**
   * One of them.
   *
   * @param name of the state or table; empty where there is only one
   */
  public record Figure(Of of, String name, double value) {}

  /**
   * Of sessions of other users only their number is seen, unless ours may read all statistics. The
   * tables are those whose rows change.
   */
  private static final String FIGURES =
      """
      WITH a AS (SELECT pid, state, xact_start, wait_event_type, datname FROM pg_stat_activity
                 WHERE backend_type = 'client backend'),
           here AS (SELECT * FROM a WHERE datname = current_database() AND pid <> pg_backend_pid())
      SELECT 'CONNECTIONS', coalesce(state, 'unknown'), count(*)::float8 FROM a GROUP BY 2
      UNION ALL SELECT 'CONNECTIONS_MAX', '', current_setting('max_connections')::float8
      UNION ALL SELECT 'OLDEST_SECONDS', '',
                coalesce(max(extract(epoch FROM clock_timestamp() - xact_start)), 0) FROM here
      UNION ALL SELECT 'LOCK_WAITS', '', count(*) FROM here WHERE wait_event_type = 'Lock'
      UNION ALL SELECT f.of, t.relname, f.n FROM pg_stat_user_tables t
                CROSS JOIN LATERAL (VALUES ('LIVE_ROWS', t.n_live_tup),
                                           ('DEAD_ROWS', t.n_dead_tup)) AS f (of, n)
                WHERE t.schemaname = 'millpond' AND t.relname IN (
                    'dispatch', 'job_state', 'queue_depth', 'worker', 'idempotency_key',
                    'dead_letter')
      UNION ALL SELECT 'WAL_BYTES', '', pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')
      UNION ALL SELECT f.of, '', f.n FROM pg_stat_database d
                CROSS JOIN LATERAL (VALUES ('COMMITS', d.xact_commit),
                                           ('ROLLBACKS', d.xact_rollback)) AS f (of, n)
                WHERE d.datname = current_database()
      """;

  private FiguresStore() {}

  /** Looks at each file of the database: dearer than all figures together. */
  public static long databaseBytes(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery("SELECT pg_database_size(current_database())")) {
      row.next();
      return row.getLong(1);
    }
  }

  /** The figures, in one statement. */
  public static List<Figure> read(Connection connection) throws SQLException {
    List<Figure> figures = new ArrayList<>();
    try (Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(FIGURES)) {
      while (rows.next()) {
        figures.add(
            new Figure(Of.valueOf(rows.getString(1)), rows.getString(2), rows.getDouble(3)));
      }
    }
    return figures;
  }
}
