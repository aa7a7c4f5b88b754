package dev.millpond.server.doctor.store;

import dev.millpond.server.doctor.Finding;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;

/** Asks PostgreSQL read-only questions, each bounded in time and each for itself. */
final class Question {
  /** For the connection and for each answer. */
  private static final String TIMEOUT_SECONDS = "5";

  /** A part of the examination. */
  interface Part {
    List<Finding> run(Connection connection) throws SQLException;
  }

  /** Reads one row. */
  interface Row<T> {
    T read(ResultSet row) throws SQLException;
  }

  private Question() {}

  static Connection connect(String pgUrl) throws SQLException {
    Properties properties = new Properties();
    properties.setProperty("connectTimeout", TIMEOUT_SECONDS);
    properties.setProperty("loginTimeout", TIMEOUT_SECONDS);
    properties.setProperty("socketTimeout", "10");
    properties.setProperty("ApplicationName", "millpond doctor");
    Connection connection = DriverManager.getConnection(pgUrl, properties);
    try (Statement statement = connection.createStatement()) {
      statement.execute("SET statement_timeout = '" + TIMEOUT_SECONDS + "s'");
    } catch (SQLException e) {
      connection.close();
      throw e;
    }
    return connection;
  }

  /** Runs a part; when it cannot be asked, that is the finding, and the others go on. */
  static List<Finding> ask(Connection connection, String check, Part part) {
    try {
      return part.run(connection);
    } catch (SQLException e) {
      return List.of(
          Finding.warning(
              check,
              "could not be checked: " + String.valueOf(e.getMessage()).replaceAll("\\s+", " "),
              "what is not known cannot be judged",
              "Mend what the message says, then run doctor again"));
    }
  }

  static <T> List<T> rows(Connection connection, String sql, Row<T> reader, Object... parameters)
      throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      for (int i = 0; i < parameters.length; i++) {
        statement.setObject(i + 1, parameters[i]);
      }
      List<T> found = new ArrayList<>();
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          found.add(reader.read(row));
        }
      }
      return found;
    }
  }

  static long number(Connection connection, String sql, Object... parameters) throws SQLException {
    return rows(connection, sql, row -> row.getLong(1), parameters).getFirst();
  }

  static boolean flag(Connection connection, String sql, Object... parameters) throws SQLException {
    return rows(connection, sql, row -> row.getBoolean(1), parameters).getFirst();
  }
}
