package dev.millpond.server.deploy;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;

/** Roles of PostgreSQL with the least rights, and databases as they see them. */
final class Roles {
  private Roles() {}

  /**
   * Makes a role that may create a schema in this database. Roles are of the whole server: it may
   * be there already, and two tests must not make it at once.
   */
  static synchronized void make(String admin, String role) throws SQLException {
    execute(
        admin,
        "DO $$ BEGIN CREATE ROLE "
            + role
            + " LOGIN NOSUPERUSER NOINHERIT PASSWORD 'secret';"
            + " EXCEPTION WHEN duplicate_object THEN NULL; END $$");
    if (!role.endsWith("_app")) {
      try (Connection connection = DriverManager.getConnection(admin)) {
        execute(admin, "GRANT CREATE ON DATABASE " + connection.getCatalog() + " TO " + role);
      }
    }
  }

  /** The same database as another user. */
  static String as(String url, String role) {
    String plain = url.replaceAll("([?&])(user|password)=[^&]*", "$1").replaceAll("&+", "&");
    return plain
        + (plain.indexOf('?') < 0 ? "?" : plain.endsWith("?") || plain.endsWith("&") ? "" : "&")
        + "user="
        + role
        + "&password=secret";
  }

  static void execute(String url, String sql) throws SQLException {
    try (Connection connection = DriverManager.getConnection(url);
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }
}
