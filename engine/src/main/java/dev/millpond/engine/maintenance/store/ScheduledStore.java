package dev.millpond.engine.maintenance.store;

import dev.millpond.engine.lifecycle.store.PgArray;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;

/**
 * Which queues have as many scheduled and waiting jobs as may be. The caller owns the transaction.
 */
public final class ScheduledStore {
  private static final String BYTES = "SELECT pg_relation_size('millpond.job_state')";

  private static final String COUNT =
      """
      SELECT queue, count(*) FROM millpond.job_state
      WHERE phase IN ('scheduled', 'waiting') GROUP BY queue HAVING count(*) >= ?
      """;

  private static final String FULL =
      """
      INSERT INTO millpond.queue_gate AS g (queue, scheduled_full)
      SELECT unnest(?::text[]), true
      ON CONFLICT (queue) DO UPDATE SET scheduled_full = true WHERE NOT g.scheduled_full
      """;

  private static final String OPEN =
      """
      UPDATE millpond.queue_gate SET scheduled_full = false
      WHERE scheduled_full AND queue <> ALL (?::text[])
      """;

  private ScheduledStore() {}

  /** Queues that have become full, and those that are not any more. */
  public record Changed(int full, int open) {}

  /**
   * Counts and marks.
   *
   * @param most of a queue; it is open again below nine tenths of it
   * @param bytesLeast of the table, below which nothing is counted
   */
  public static Changed mark(Connection tx, long most, long bytesLeast) throws SQLException {
    List<String> full = new ArrayList<>();
    List<String> nearly = new ArrayList<>();
    if (bytes(tx) >= bytesLeast) {
      try (PreparedStatement count = tx.prepareStatement(COUNT)) {
        count.setLong(1, most - most / 10);
        try (ResultSet rows = count.executeQuery()) {
          while (rows.next()) {
            nearly.add(rows.getString(1));
            if (rows.getLong(2) >= most) {
              full.add(rows.getString(1));
            }
          }
        }
      }
    }
    return new Changed(full.isEmpty() ? 0 : set(tx, FULL, full), set(tx, OPEN, nearly));
  }

  private static long bytes(Connection tx) throws SQLException {
    try (Statement statement = tx.createStatement();
        ResultSet row = statement.executeQuery(BYTES)) {
      row.next();
      return row.getLong(1);
    }
  }

  private static int set(Connection tx, String sql, List<String> queues) throws SQLException {
    try (PreparedStatement statement = tx.prepareStatement(sql)) {
      statement.setObject(1, PgArray.texts(queues, queue -> queue));
      return statement.executeUpdate();
    }
  }
}
