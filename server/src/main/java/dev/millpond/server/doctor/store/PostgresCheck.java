package dev.millpond.server.doctor.store;

import dev.millpond.server.doctor.Finding;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;

/** Version and durability of PostgreSQL: an acknowledged submit has to survive its crash. */
public final class PostgresCheck {
  private static final int OLDEST = 15;
  private static final int NEWEST = 18;

  /** For the connection and for each answer. */
  private static final String TIMEOUT_SECONDS = "5";

  private PostgresCheck() {}

  public static List<Finding> run(String pgUrl) {
    Properties properties = new Properties();
    properties.setProperty("connectTimeout", TIMEOUT_SECONDS);
    properties.setProperty("loginTimeout", TIMEOUT_SECONDS);
    properties.setProperty("socketTimeout", TIMEOUT_SECONDS);
    properties.setProperty("ApplicationName", "millpond doctor");
    List<Finding> findings = new ArrayList<>();
    try (Connection connection = DriverManager.getConnection(pgUrl, properties)) {
      findings.add(version(connection));
      findings.add(
          setting(connection, "fsync", List.of("on"), "a power cut can destroy the database"));
      findings.add(
          setting(
              connection,
              "full_page_writes",
              List.of("on"),
              "a power cut can leave half-written pages"));
      findings.add(
          setting(
              connection,
              "synchronous_commit",
              List.of("on", "local", "remote_write", "remote_apply"),
              "a crash loses acknowledged jobs"));
    } catch (SQLException e) {
      findings.add(
          Finding.unreachable(
              "postgres",
              String.valueOf(e.getMessage()),
              "Check millpond.pg.url, that PostgreSQL runs there and that it lets this user in"));
    }
    return findings;
  }

  private static Finding version(Connection connection) throws SQLException {
    String version = show(connection, "server_version");
    int major = Integer.parseInt(show(connection, "server_version_num")) / 10_000;
    if (major < OLDEST || major > NEWEST) {
      return Finding.wrong(
          "postgres.version", version, "Use PostgreSQL " + OLDEST + " to " + NEWEST);
    }
    return Finding.ok("postgres.version", version);
  }

  private static Finding setting(
      Connection connection, String name, List<String> good, String danger) throws SQLException {
    String value = show(connection, name);
    return good.contains(value)
        ? Finding.ok("postgres." + name, value)
        : Finding.wrong(
            "postgres." + name,
            value + ": " + danger,
            "Set " + name + " = on in postgresql.conf and reload");
  }

  private static String show(Connection connection, String name) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery("SHOW " + name)) {
      rows.next();
      return rows.getString(1);
    }
  }
}
