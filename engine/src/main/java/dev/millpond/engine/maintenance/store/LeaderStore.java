package dev.millpond.engine.maintenance.store;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** The leader's row. The caller owns the transaction. */
public final class LeaderStore {
  private static final String NAME = "maintenance";

  private static final String HOLD =
      """
      INSERT INTO millpond.leader AS l (name, epoch, holder, expires_at)
      VALUES (?, 1, ?, now() + ? * interval '1 millisecond')
      ON CONFLICT (name) DO UPDATE
          SET epoch = l.epoch + CASE WHEN l.holder = excluded.holder THEN 0 ELSE 1 END,
              holder = excluded.holder, expires_at = excluded.expires_at
          WHERE l.holder = excluded.holder OR l.expires_at < now()
      RETURNING epoch
      """;

  private static final String CONFIRM =
      "SELECT FROM millpond.leader WHERE name = ? AND epoch = ? FOR SHARE";

  private static final String RELEASE =
      "UPDATE millpond.leader SET expires_at = now() WHERE name = ? AND holder = ?";

  private LeaderStore() {}

  /** Takes or renews the lease; its epoch, or null when somebody else has it. */
  public static @Nullable Long hold(Connection tx, UUID holder, Duration lease)
      throws SQLException {
    try (PreparedStatement statement = tx.prepareStatement(HOLD)) {
      statement.setString(1, NAME);
      statement.setObject(2, holder);
      statement.setLong(3, lease.toMillis());
      try (ResultSet row = statement.executeQuery()) {
        return row.next() ? row.getLong(1) : null;
      }
    }
  }

  /** Holds the row at this epoch until the end of the transaction; false when it has passed. */
  public static boolean confirm(Connection tx, long epoch) throws SQLException {
    try (PreparedStatement statement = tx.prepareStatement(CONFIRM)) {
      statement.setString(1, NAME);
      statement.setLong(2, epoch);
      try (ResultSet row = statement.executeQuery()) {
        return row.next();
      }
    }
  }

  public static void release(Connection tx, UUID holder) throws SQLException {
    try (PreparedStatement statement = tx.prepareStatement(RELEASE)) {
      statement.setString(1, NAME);
      statement.setObject(2, holder);
      statement.executeUpdate();
    }
  }
}
