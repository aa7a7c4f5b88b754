package dev.millpond.embedded;

import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.UUID;

/**
 * A PostgreSQL of one test class's own, for tests that count what the whole server does: it knows
 * each statement ({@code pg_stat_statements}), can log plans ({@code auto_explain}), and nothing
 * runs in it but what the test starts, autovacuum and checkpoints by time included. Not
 * thread-safe.
 */
public final class MeasuredPostgres implements AutoCloseable {
  private static final String COUNTS =
      """
      SELECT coalesce((SELECT sum(s.calls) FROM pg_stat_statements s), 0)::bigint,
             pg_snapshot_xmax(pg_current_snapshot())::text::bigint,
             pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint,
             (SELECT redo_lsn::text FROM pg_control_checkpoint())
      """;

  private final DirectoryLock directory;
  private final EmbeddedPostgres server;
  private final Connection connection;

  /**
   * What the server has done so far.
   *
   * @param statements executed, each part of a multi-statement string
   * @param transactions that wrote something
   * @param walBytes of its log
   * @param checkpoint the latest; after another one whole pages are logged once more
   */
  public record Counts(long statements, long transactions, long walBytes, String checkpoint) {}

  private MeasuredPostgres(
      DirectoryLock directory, EmbeddedPostgres server, Connection connection) {
    this.directory = directory;
    this.server = server;
    this.connection = connection;
  }

  /** Starts one in a directory of its own, which is deleted at the end. */
  public static MeasuredPostgres start() {
    DirectoryLock directory = TestServers.newDirectory();
    StartOptions options =
        TestServers.postgresOptions()
            .withSetting("shared_preload_libraries", "pg_stat_statements,auto_explain")
            .withSetting("pg_stat_statements.track_planning", "off")
            .withSetting("autovacuum", "off")
            .withSetting("checkpoint_timeout", "1h")
            .withSetting("max_wal_size", "4GB")
            .withSetting("shared_buffers", "256MB");
    EmbeddedPostgres server =
        EmbeddedPostgres.start(directory.directory().resolve("postgres"), options);
    try {
      Connection connection = DriverManager.getConnection(server.jdbcUrl("postgres"));
      MeasuredPostgres measured = new MeasuredPostgres(directory, server, connection);
      measured.execute("CREATE EXTENSION pg_stat_statements");
      return measured;
    } catch (SQLException e) {
      server.abandon();
      directory.close();
      throw new EmbeddedServerException("The PostgreSQL to measure with does not answer.", e);
    }
  }

  /** Creates an empty database and returns its JDBC URL. */
  public String freshDatabase() {
    String name = "measured_" + UUID.randomUUID().toString().substring(0, 8);
    server.createDatabase(name);
    return server.jdbcUrl(name);
  }

  public Counts counts() {
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(COUNTS)) {
      row.next();
      return new Counts(row.getLong(1), row.getLong(2), row.getLong(3), row.getString(4));
    } catch (SQLException e) {
      throw new EmbeddedServerException("Cannot read what PostgreSQL has done.", e);
    }
  }

  /** Writes all pages out, so that no checkpoint falls into what is measured next. */
  public void checkpoint() {
    execute("CHECKPOINT");
  }

  /** Runs a statement as the owner of everything. */
  public void execute(String sql) {
    try (Statement statement = connection.createStatement()) {
      statement.execute(sql);
    } catch (SQLException e) {
      throw new EmbeddedServerException("Cannot run " + sql, e);
    }
  }

  /** Where the server writes its log. */
  public Path logFile() {
    return server.logFile();
  }

  public String version() {
    return server.version();
  }

  @Override
  public void close() {
    server.abandon();
    try (directory) {
      Binaries.deleteRecursively(directory.directory());
    } catch (IOException e) {
      throw new EmbeddedServerException(
          directory.directory() + " of a measured PostgreSQL cannot be removed.", e);
    }
  }
}
