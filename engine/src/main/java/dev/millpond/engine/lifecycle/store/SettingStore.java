package dev.millpond.engine.lifecycle.store;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Optional;

/** Settings that all processes of a fleet share. The caller owns the transaction. Stateless. */
public final class SettingStore {
  /** The longest life of an idempotency key that any process has ever promised. */
  public static final String KEYS_LIVE_LONGEST = "idempotency.ttl.longest";

  private static final String RAISE =
      """
      INSERT INTO millpond.setting AS s (key, value) VALUES (?, ?)
      ON CONFLICT (key) DO UPDATE SET value = excluded.value, changed_at = now()
          WHERE s.value::interval < excluded.value::interval
      """;

  private static final String FIND = "SELECT value FROM millpond.setting WHERE key = ?";

  private SettingStore() {}

  /** Sets a duration that only ever grows; a shorter one changes nothing. */
  public static void raise(Connection tx, String key, Duration value) throws SQLException {
    try (PreparedStatement statement = tx.prepareStatement(RAISE)) {
      statement.setString(1, key);
      statement.setString(2, value.toString());
      statement.executeUpdate();
    }
  }

  /** A duration; empty when nobody has set it. */
  public static Optional<Duration> duration(Connection tx, String key) throws SQLException {
    try (PreparedStatement statement = tx.prepareStatement(FIND)) {
      statement.setString(1, key);
      try (ResultSet row = statement.executeQuery()) {
        return row.next() ? Optional.of(Duration.parse(row.getString(1))) : Optional.empty();
      }
    }
  }
}
