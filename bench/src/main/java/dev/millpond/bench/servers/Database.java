package dev.millpond.bench.servers;

import dev.millpond.engine.Millpond;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Properties;

/**
 * The bench's own database on the server: made, emptied between runs, looked at, dropped. Not
 * thread-safe.
 */
public final class Database implements AutoCloseable {
  private static final String NAME = "millpond_bench";

  private static final String EMPTY =
      """
      DO $$
      DECLARE names text;
      BEGIN
        SELECT string_agg(format('%I.%I', schemaname, tablename), ', ') INTO names
        FROM pg_tables WHERE schemaname = 'millpond' AND tablename <> 'flyway_schema_history';
        EXECUTE 'TRUNCATE ' || names;
      END $$
      """;

  private static final String COUNTS =
      """
      SELECT (SELECT count(*) FROM millpond.job),
             (SELECT count(*) FROM millpond.job_outcome WHERE outcome = 'succeeded'),
             (SELECT coalesce(sum(cardinality(job_ids)), 0) FROM millpond.dispatch),
             (SELECT count(*) FROM millpond.job_state),
             (SELECT count(*) FROM millpond.dead_letter),
             (SELECT count(*) FROM millpond.job j
              WHERE NOT EXISTS (SELECT FROM millpond.job_outcome o WHERE o.job_id = j.id)),
             (SELECT count(*) FROM millpond.job_attempt)
      """;

  private static final String DEAD_NOW =
      """
      SELECT coalesce(sum(n_dead_tup), 0)::bigint FROM pg_stat_user_tables
      WHERE schemaname = 'millpond'
      """;

  private static final String STATEMENTS =
      """
      SELECT coalesce(sum(s.calls), 0) FROM pg_stat_statements s
      JOIN pg_database d ON d.oid = s.dbid WHERE d.datname = current_database()
      """;

  private static final String DEAD_TUPLES =
      """
      SELECT coalesce(sum(n_tup_upd + n_tup_del), 0)::bigint FROM pg_stat_user_tables
      WHERE schemaname = 'millpond'
      """;

  private final String adminUrl;
  private final String url;
  private final Connection connection;
  private final boolean countsStatements;
  private final long postmaster;

  /**
   * What is in the tables.
   *
   * @param succeeded outcomes; the table's key allows one a job
   * @param held jobs in dispatch rows
   * @param state state rows
   * @param open jobs without an outcome
   * @param failed attempts that were no success
   */
  public record Counts(
      long jobs, long succeeded, long held, long state, long dead, long open, long failed) {}

  private Database(String adminUrl, String url, Connection connection) throws SQLException {
    this.adminUrl = adminUrl;
    this.url = url;
    this.connection = connection;
    this.countsStatements = makeStatementCounter();
    this.postmaster = Processes.parent(number("SELECT pg_backend_pid()"), "postgres");
  }

  /**
   * Makes the database anew, with Millpond's schema.
   *
   * @param adminUrl of any database of the server, with a user who may create others
   */
  public static Database create(String adminUrl) throws SQLException {
    try (Connection admin = DriverManager.getConnection(adminUrl);
        Statement statement = admin.createStatement()) {
      statement.execute("DROP DATABASE IF EXISTS " + NAME + " WITH (FORCE)");
      statement.execute("CREATE DATABASE " + NAME);
    }
    String url = adminUrl.replaceFirst("^(jdbc:postgresql:(?://[^/]*/)?)[^?]*", "$1" + NAME);
    Millpond.migrate(url);
    Properties properties = new Properties();
    properties.setProperty("ApplicationName", "millpond-bench");
    return new Database(adminUrl, url, DriverManager.getConnection(url, properties));
  }

  public String url() {
    return url;
  }

  /** The server's version, such as {@code 15.14}. */
  public String version() throws SQLException {
    return text("SHOW server_version").split(" ", 2)[0];
  }

  /** Settings that decide what a commit means and costs. */
  public String settings() throws SQLException {
    StringBuilder settings = new StringBuilder();
    for (String name :
        new String[] {"fsync", "synchronous_commit", "full_page_writes", "wal_sync_method"}) {
      settings.append(settings.isEmpty() ? "" : ", ").append(name).append(' ');
      settings.append(text("SHOW " + name));
    }
    return settings.toString();
  }

  /** Whether statements can be counted (pg_stat_statements is loaded). */
  public boolean countsStatements() {
    return countsStatements;
  }

  /** The postmaster's process id; 0 when it is not on this machine. */
  public long postmaster() {
    return postmaster;
  }

  private boolean makeStatementCounter() throws SQLException {
    if (!text("SHOW shared_preload_libraries").contains("pg_stat_statements")) {
      return false;
    }
    execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements");
    return true;
  }

  /** Empties all tables. Nobody may be using them. */
  public void empty() throws SQLException {
    execute(EMPTY);
    execute("SELECT millpond.ensure_partitions((now() AT TIME ZONE 'UTC')::date)");
  }

  public Counts counts() throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(COUNTS)) {
      row.next();
      return new Counts(
          row.getLong(1),
          row.getLong(2),
          row.getLong(3),
          row.getLong(4),
          row.getLong(5),
          row.getLong(6),
          row.getLong(7));
    }
  }

  public long walBytes() throws SQLException {
    return number("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint");
  }

  /** Statements executed so far; 0 when they cannot be counted. */
  public long statements() throws SQLException {
    return countsStatements ? number(STATEMENTS) : 0;
  }

  /** Tells PostgreSQL what is in the tables now, so that checks of many jobs have good plans. */
  public void analyze() throws SQLException {
    execute("ANALYZE");
  }

  /**
   * Transactions committed so far. Backends report them late, at the latest when they end: only the
   * difference between two moments without other connections is right.
   */
  public long commits() throws SQLException {
    return number("SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()");
  }

  /**
   * Row versions that updates and deletes have left so far, in Millpond's tables; reported as late
   * as {@link #commits}.
   */
  public long deadTuples() throws SQLException {
    return number(DEAD_TUPLES);
  }

  /** Dead row versions that no vacuum has removed yet, as PostgreSQL estimates them. */
  public long deadTuplesNow() throws SQLException {
    return number(DEAD_NOW);
  }

  /** Opens a transaction whose snapshot stays until it is closed. */
  public Connection pinSnapshot() throws SQLException {
    Connection pin = DriverManager.getConnection(url);
    try (Statement statement = pin.createStatement()) {
      pin.setAutoCommit(false);
      pin.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
      statement.execute("SELECT count(*) FROM pg_class");
      return pin;
    } catch (SQLException e) {
      pin.close();
      throw e;
    }
  }

  /**
   * Waits until nobody else is connected, at most two seconds.
   *
   * @param problems gets one when somebody still is
   */
  public void awaitAlone(List<String> problems) throws SQLException {
    long until = System.nanoTime() + 2_000_000_000L;
    long others = others();
    while (others > 0 && System.nanoTime() < until) {
      Pause.millis(5);
      others = others();
    }
    if (others > 0) {
      problems.add(others + " other connections to the bench's database");
    }
  }

  private long others() throws SQLException {
    return number(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            + " AND pid <> pg_backend_pid() AND backend_type = 'client backend'");
  }

  private void execute(String sql) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  private long number(String sql) throws SQLException {
    return Long.parseLong(text(sql));
  }

  private String text(String sql) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(sql)) {
      row.next();
      return String.valueOf(row.getString(1));
    }
  }

  /** Drops the database. */
  @Override
  public void close() throws SQLException {
    connection.abort(Runnable::run); // another thread may be waiting for an answer
    try (Connection admin = DriverManager.getConnection(adminUrl);
        Statement statement = admin.createStatement()) {
      statement.execute("DROP DATABASE IF EXISTS " + NAME + " WITH (FORCE)");
    }
  }
}
