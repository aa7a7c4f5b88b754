package dev.millpond.engine.dispatch.store;

import dev.millpond.engine.lifecycle.store.PgArray;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * How long jobs of a kind take, for the whole fleet. The caller owns the transaction. Stateless.
 */
public final class KindStore {
  private static final String STORE =
      """
      INSERT INTO millpond.kind AS k (name, run_micros)
      SELECT unnest(?::text[]), unnest(?::int8[])
      ON CONFLICT (name) DO UPDATE
          SET run_micros = excluded.run_micros, updated_at = now()
          WHERE k.run_micros <> excluded.run_micros
      """;

  private static final String READ = "SELECT name, run_micros FROM millpond.kind";

  private KindStore() {}

  /**
   * Stores averages.
   *
   * @param micros by kind
   */
  public static void store(Connection tx, Map<String, Long> micros) throws SQLException {
    // By name: two that lock the same rows do so in the same order.
    List<Map.Entry<String, Long>> rows =
        micros.entrySet().stream().sorted(Map.Entry.comparingByKey()).toList();
    try (PreparedStatement statement = tx.prepareStatement(STORE)) {
      statement.setObject(1, PgArray.texts(rows, Map.Entry::getKey));
      statement.setObject(2, PgArray.longs(rows, Map.Entry::getValue));
      statement.executeUpdate();
    }
  }

  /** The averages of all kinds, in microseconds. */
  public static Map<String, Long> read(Connection connection) throws SQLException {
    Map<String, Long> micros = new HashMap<>();
    try (PreparedStatement statement = connection.prepareStatement(READ);
        ResultSet rows = statement.executeQuery()) {
      while (rows.next()) {
        micros.put(rows.getString(1), rows.getLong(2));
      }
    }
    return micros;
  }
}
