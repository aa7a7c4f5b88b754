package dev.millpond.engine.submit.store;

import dev.millpond.api.InvalidJobException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;

/** Queues come into being with their first job. The caller owns the transaction. */
public final class QueueStore {
  /** Queues of a fleet: each one costs every worker streams to read. */
  private static final int QUEUES_MAX = 1_000;

  private static final String ENSURE =
      """
      INSERT INTO millpond.queue (name)
      SELECT ? WHERE (SELECT count(*) FROM millpond.queue) < ?
      ON CONFLICT (name) DO NOTHING
      """;

  private static final String EXISTS = "SELECT FROM millpond.queue WHERE name = ?";

  private QueueStore() {}

  /**
   * Makes the queue when it is not there.
   *
   * @throws InvalidJobException when there are too many queues
   */
  public static void ensure(Connection tx, String name) throws SQLException {
    try (PreparedStatement insert = tx.prepareStatement(ENSURE)) {
      insert.setString(1, name);
      insert.setInt(2, QUEUES_MAX);
      if (insert.executeUpdate() == 1) {
        return;
      }
    }
    if (!exists(tx, name)) {
      throw new InvalidJobException(
          "/queue", "would be new, and there are " + QUEUES_MAX + " queues, which is the limit");
    }
  }

  /** Whether it is there. */
  public static boolean exists(Connection tx, String name) throws SQLException {
    try (PreparedStatement exists = tx.prepareStatement(EXISTS)) {
      exists.setString(1, name);
      try (ResultSet row = exists.executeQuery()) {
        return row.next();
      }
    }
  }
}
