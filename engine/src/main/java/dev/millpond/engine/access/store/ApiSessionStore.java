package dev.millpond.engine.access.store;

import dev.millpond.engine.audit.store.AuditStore;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.Optional;

/** The rows of sessions. The caller owns the transaction. Stateless. */
public final class ApiSessionStore {
  private static final String INSERT =
      """
      INSERT INTO millpond.api_session (hash, prefix, expires_at)
      VALUES (?, ?, now() + ? * interval '1 second')
      RETURNING prefix, seen_at, expires_at
      """;

  private static final String BOUND =
      """
      DELETE FROM millpond.api_session WHERE hash IN (
          SELECT hash FROM millpond.api_session WHERE prefix = ? ORDER BY created_at DESC OFFSET ?)
      """;

  private static final String FIND =
      """
      SELECT prefix, seen_at, expires_at FROM millpond.api_session
      WHERE hash = ? AND expires_at > now()
      """;

  private static final String SEEN =
      "UPDATE millpond.api_session SET seen_at = greatest(seen_at, ?) WHERE hash = ?";

  private static final String DELETE =
      "DELETE FROM millpond.api_session WHERE hash = ? RETURNING prefix";

  private ApiSessionStore() {}

  /**
   * A session.
   *
   * @param prefix of its key
   * @param seenAt when it was last written that it was used
   */
  public record Row(String prefix, Instant seenAt, Instant expiresAt) {}

  /** Begins a session; the oldest ones of the key give way. */
  public static Row insert(Connection tx, byte[] hash, String prefix, Duration lives, int most)
      throws SQLException {
    Row begun;
    try (PreparedStatement statement = tx.prepareStatement(INSERT)) {
      statement.setBytes(1, hash);
      statement.setString(2, prefix);
      statement.setLong(3, lives.toSeconds());
      try (ResultSet row = statement.executeQuery()) {
        row.next();
        begun = row(row);
      }
    }
    try (PreparedStatement statement = tx.prepareStatement(BOUND)) {
      statement.setString(1, prefix);
      statement.setInt(2, most);
      statement.executeUpdate();
    }
    AuditStore.write(tx, "session.begin", prefix, null, null);
    return begun;
  }

  /** One that has not expired. */
  public static Optional<Row> find(Connection tx, byte[] hash) throws SQLException {
    try (PreparedStatement statement = tx.prepareStatement(FIND)) {
      statement.setBytes(1, hash);
      try (ResultSet row = statement.executeQuery()) {
        return row.next() ? Optional.of(row(row)) : Optional.empty();
      }
    }
  }

  /** Notes when it was used. */
  public static void seen(Connection tx, byte[] hash, Instant at) throws SQLException {
    try (PreparedStatement statement = tx.prepareStatement(SEEN)) {
      statement.setObject(1, at.atOffset(ZoneOffset.UTC));
      statement.setBytes(2, hash);
      statement.executeUpdate();
    }
  }

  /** Ends it. */
  public static void delete(Connection tx, byte[] hash) throws SQLException {
    try (PreparedStatement statement = tx.prepareStatement(DELETE)) {
      statement.setBytes(1, hash);
      try (ResultSet row = statement.executeQuery()) {
        if (row.next()) {
          AuditStore.write(tx, "session.end", row.getString(1), null, null);
        }
      }
    }
  }

  private static Row row(ResultSet row) throws SQLException {
    return new Row(
        row.getString(1),
        row.getObject(2, OffsetDateTime.class).toInstant(),
        row.getObject(3, OffsetDateTime.class).toInstant());
  }
}
