package dev.millpond.engine.flush.store;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.engine.Database;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import org.junit.jupiter.api.Test;

/** What the lanes write is compressed by the quicker of the methods that the server has. */
class CompressionIT {
  private static final String METHOD =
      """
      SELECT current_setting('default_toast_compression'),
             (SELECT 'lz4' = ANY (enumvals) FROM pg_settings
              WHERE name = 'default_toast_compression')
      """;

  @Test
  void aLaneCompressesByLz4WhereTheServerHasIt() throws SQLException {
    try (Database database = Database.fresh();
        WriterConnection lane = new WriterConnection(database.url(), "lane");
        Connection usual = database.connect()) {
      Connection open = lane.get();
      assertThat(method(open, 1)).isEqualTo(has(open) ? "lz4" : method(usual, 1));
      open.setAutoCommit(false);
      method(open, 1);
      open.rollback();
      assertThat(method(open, 1)).as("after a rollback").isEqualTo(has(open) ? "lz4" : "pglz");
    }
  }

  private static boolean has(Connection on) throws SQLException {
    return method(on, 2).equals("t");
  }

  private static String method(Connection on, int column) throws SQLException {
    try (Statement statement = on.createStatement();
        ResultSet row = statement.executeQuery(METHOD)) {
      row.next();
      return row.getString(column);
    }
  }
}
