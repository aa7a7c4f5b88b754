package dev.millpond.server.browser;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The statements of a database, by {@code pg_stat_statements}. For one thread. */
final class Statements implements AutoCloseable {
  private static final String SEEN =
      """
      SELECT s.queryid, s.query, s.max_exec_time
      FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid
      WHERE d.datname = current_database() AND s.query NOT LIKE '%pg_stat_statements%'
      ORDER BY s.max_exec_time DESC
      """;

  private final Connection connection;
  private final Set<Long> usual = new HashSet<>();

  /** The longest that a statement has taken. */
  record Slowest(double millis, String query) {}

  private Statements(Connection connection) {
    this.connection = connection;
  }

  static Statements of(String pgUrl) throws SQLException {
    Statements statements = new Statements(DriverManager.getConnection(pgUrl));
    statements.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements");
    return statements;
  }

  /** Forgets what was executed so far. */
  void reset() throws SQLException {
    execute("SELECT pg_stat_statements_reset()");
  }

  /** What was executed since the last reset is of no interest from now on. */
  void expectThese() throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(SEEN);
        ResultSet rows = statement.executeQuery()) {
      while (rows.next()) {
        usual.add(rows.getLong(1));
      }
    }
  }

  /** The slowest since the last reset that is of interest; null when there is none. */
  @Nullable Slowest slowest() throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(SEEN);
        ResultSet rows = statement.executeQuery()) {
      while (rows.next()) {
        if (!usual.contains(rows.getLong(1))) {
          return new Slowest(rows.getDouble(3), rows.getString(2).replaceAll("\\s+", " ").strip());
        }
      }
      return null;
    }
  }

  private void execute(String sql) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  @Override
  public void close() throws SQLException {
    connection.close();
  }
}
