package dev.millpond.engine;

import dev.millpond.embedded.TestServers;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** A migrated database of a test class, and what its tests read and write there directly. */
public final class Database implements AutoCloseable {
  private final String url;
  private final Connection connection;

  private Database(String url, Connection connection) {
    this.url = url;
    this.connection = connection;
  }

  /** A database of its own with the current schema. */
  public static Database fresh() {
    String url = TestServers.get().freshDatabase(Millpond::migrate);
    return new Database(url, open(url));
  }

  /** An empty database of another server, with the current schema. */
  public static Database on(String url) {
    Millpond.migrate(url);
    return new Database(url, open(url));
  }

  private static Connection open(String url) {
    try {
      return DriverManager.getConnection(url);
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  public String url() {
    return url;
  }

  /** A connection of the caller's own, for locks and transactions that stay open. */
  public Connection connect() {
    return open(url);
  }

  /** Empties all tables. */
  public void empty() {
    List<String> tables =
        strings(
            "SELECT c.oid::regclass::text FROM pg_class c WHERE c.relkind IN ('r', 'p')"
                + " AND NOT c.relispartition AND c.relnamespace = 'millpond'::regnamespace"
                + " AND c.relname NOT LIKE 'flyway%'");
    update("TRUNCATE " + String.join(", ", tables));
    update("INSERT INTO millpond.flow_version (version) VALUES (1)"); // as the migration does
  }

  public int update(String sql, @Nullable Object... arguments) {
    return update(connection, sql, arguments);
  }

  public static int update(Connection on, String sql, @Nullable Object... arguments) {
    try (PreparedStatement statement = prepare(on, sql, arguments)) {
      return statement.executeUpdate();
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  public long number(String sql, @Nullable Object... arguments) {
    try (PreparedStatement statement = prepare(connection, sql, arguments);
        ResultSet row = statement.executeQuery()) {
      if (!row.next()) {
        throw new IllegalStateException("no row: " + sql);
      }
      return row.getLong(1);
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  /** The first column of all rows. */
  public List<String> strings(String sql, @Nullable Object... arguments) {
    List<String> values = new ArrayList<>();
    try (PreparedStatement statement = prepare(connection, sql, arguments);
        ResultSet rows = statement.executeQuery()) {
      while (rows.next()) {
        values.add(String.valueOf(rows.getString(1)));
      }
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
    return values;
  }

  public List<UUID> ids(String sql, @Nullable Object... arguments) {
    return strings(sql, arguments).stream().map(UUID::fromString).toList();
  }

  private static PreparedStatement prepare(Connection on, String sql, @Nullable Object... arguments)
      throws SQLException {
    PreparedStatement statement = on.prepareStatement(sql);
    for (int i = 0; i < arguments.length; i++) {
      Object argument = arguments[i];
      if (argument instanceof UUID[] ids) {
        statement.setArray(i + 1, on.createArrayOf("uuid", ids));
      } else {
        statement.setObject(i + 1, argument);
      }
    }
    return statement;
  }

  /** Depth of all lanes as counted. */
  public long depth() {
    return number("SELECT coalesce(sum(delta), 0) FROM millpond.queue_depth");
  }

  public long outcomes() {
    return number("SELECT count(*) FROM millpond.job_outcome");
  }

  /** Ends all backends of this database whose name begins so; how many. */
  public int terminate(String applicationName) {
    return strings(
            "SELECT pg_terminate_backend(pid)::text FROM pg_stat_activity"
                + " WHERE datname = current_database() AND application_name LIKE ? || '%'"
                + " AND pid <> pg_backend_pid()",
            applicationName)
        .size();
  }

  @Override
  public void close() {
    try {
      connection.close();
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }
}
