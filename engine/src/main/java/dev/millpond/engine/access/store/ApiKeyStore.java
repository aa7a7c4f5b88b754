package dev.millpond.engine.access.store;

import dev.millpond.engine.access.ApiKey;
import dev.millpond.engine.access.KeyRequest;
import dev.millpond.engine.access.Scope;
import dev.millpond.engine.access.StoredKey;
import dev.millpond.engine.audit.store.AuditStore;
import dev.millpond.engine.lifecycle.store.PgArray;
import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Types;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The rows of keys. The caller owns the transaction. Stateless. */
public final class ApiKeyStore {
  /** Those that work come first, and there are fewer of them than this. */
  private static final int LIST_MAX = 10_000;

  private static final String COLUMNS =
      "prefix, name, scopes, queues, created_by, created_at, expires_at, revoked_at, last_used_at";

  private static final String LIVE =
      "revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())";

  private static final String LIST =
      "SELECT "
          + COLUMNS
          + ", hash FROM millpond.api_key ORDER BY ("
          + LIVE
          + ") DESC, created_at DESC, prefix LIMIT "
          + LIST_MAX;

  private static final String INSERT =
      """
      INSERT INTO millpond.api_key (prefix, hash, name, scopes, queues, created_by, expires_at)
      VALUES (?, ?, ?, ?::text[], nullif(?::text[], '{}'), ?, now() + ? * interval '1 second')
      RETURNING
      """
          + COLUMNS;

  private static final String REVOKE =
      "UPDATE millpond.api_key SET revoked_at = now() WHERE prefix = ? AND revoked_at IS NULL";

  private static final String END_SESSIONS = "DELETE FROM millpond.api_session WHERE prefix = ?";

  private static final String FIND =
      "SELECT " + COLUMNS + " FROM millpond.api_key WHERE prefix = ?";

  private static final String FACTS =
      """
      SELECT to_jsonb(k) - 'hash' - 'prefix' - 'last_used_at' FROM millpond.api_key k WHERE prefix = ?
      """;

  private static final String GROW =
      """
      INSERT INTO millpond.access_version AS v (version) VALUES (1)
      ON CONFLICT (one) DO UPDATE SET version = v.version + 1
      """;

  /** Another process may have written it a moment ago. */
  private static final String USED =
      """
      UPDATE millpond.api_key SET last_used_at = now()
      WHERE prefix = ANY (?::text[])
        AND (last_used_at IS NULL OR last_used_at < now() - interval '55 seconds')
      """;

  private static final String TRIM =
      """
      DELETE FROM millpond.api_key WHERE prefix = ANY (ARRAY (
          SELECT prefix FROM millpond.api_key
          WHERE least(revoked_at, expires_at) < now() - ? * interval '1 second' LIMIT ?))
      """;

  private ApiKeyStore() {}

  /** Grows with each change of what is in memory elsewhere. */
  public static long version(Connection tx) throws SQLException {
    try (Statement statement = tx.createStatement();
        ResultSet row =
            statement.executeQuery(
                "SELECT coalesce(max(version), 0) FROM millpond.access_version")) {
      row.next();
      return row.getLong(1);
    }
  }

  /** To be called before all else of a change: it holds the others off. */
  public static void grow(Connection tx) throws SQLException {
    try (Statement statement = tx.createStatement()) {
      statement.executeUpdate(GROW);
    }
  }

  /** How many work. */
  public static int countLive(Connection tx) throws SQLException {
    try (Statement statement = tx.createStatement();
        ResultSet row =
            statement.executeQuery("SELECT count(*) FROM millpond.api_key WHERE " + LIVE)) {
      row.next();
      return row.getInt(1);
    }
  }

  /** Writes a new one. */
  public static ApiKey insert(
      Connection tx, String prefix, byte[] hash, KeyRequest request, String by)
      throws SQLException {
    try (PreparedStatement statement = tx.prepareStatement(INSERT)) {
      statement.setString(1, prefix);
      statement.setBytes(2, hash);
      statement.setString(3, request.name());
      statement.setObject(4, PgArray.texts(List.copyOf(request.scopes()), Scope::word));
      statement.setObject(5, PgArray.texts(List.copyOf(request.queues()), queue -> queue));
      statement.setString(6, by);
      Duration lives = request.lives();
      statement.setObject(7, lives == null ? null : lives.toSeconds(), Types.BIGINT);
      try (ResultSet row = statement.executeQuery()) {
        row.next();
        ApiKey key = key(row);
        AuditStore.write(tx, "keys.create", prefix, null, AuditStore.json(tx, FACTS, prefix));
        return key;
      }
    }
  }

  /** All, those that work first, then the newest. */
  public static List<ApiKey> list(Connection tx) throws SQLException {
    return read(tx).stream().map(StoredKey::key).toList();
  }

  /** Like {@link #list}, with the hashes. */
  public static List<StoredKey> read(Connection tx) throws SQLException {
    List<StoredKey> keys = new ArrayList<>();
    try (Statement statement = tx.createStatement();
        ResultSet rows = statement.executeQuery(LIST)) {
      while (rows.next()) {
        keys.add(new StoredKey(key(rows), rows.getBytes(10)));
      }
    }
    return keys;
  }

  /** Ends a key and its sessions; empty when there is none. */
  public static Optional<ApiKey> revoke(Connection tx, String prefix) throws SQLException {
    AuditStore.around(
        tx,
        "keys.revoke",
        prefix,
        () -> AuditStore.json(tx, FACTS, prefix),
        () -> update(tx, REVOKE, prefix));
    update(tx, END_SESSIONS, prefix);
    try (PreparedStatement statement = tx.prepareStatement(FIND)) {
      statement.setString(1, prefix);
      try (ResultSet row = statement.executeQuery()) {
        return row.next() ? Optional.of(key(row)) : Optional.empty();
      }
    }
  }

  /** Notes that keys were used just now. */
  public static void used(Connection tx, Collection<String> prefixes) throws SQLException {
    try (PreparedStatement statement = tx.prepareStatement(USED)) {
      statement.setObject(1, PgArray.texts(prefixes.stream().sorted().toList(), prefix -> prefix));
      statement.executeUpdate();
    }
  }

  /** Removes keys that ended so long ago; how many. */
  public static int trim(Connection tx, Duration kept, int limit) throws SQLException {
    try (PreparedStatement statement = tx.prepareStatement(TRIM)) {
      statement.setLong(1, kept.toSeconds());
      statement.setInt(2, limit);
      return statement.executeUpdate();
    }
  }

  private static int update(Connection tx, String sql, String prefix) throws SQLException {
    try (PreparedStatement statement = tx.prepareStatement(sql)) {
      statement.setString(1, prefix);
      return statement.executeUpdate();
    }
  }

  private static ApiKey key(ResultSet row) throws SQLException {
    Set<Scope> scopes = new HashSet<>();
    for (String word : texts(row, 3)) {
      Scope.of(word).ifPresent(scopes::add); // one of a later version lets do nothing here
    }
    return new ApiKey(
        row.getString(1),
        row.getString(2),
        scopes,
        Set.copyOf(texts(row, 4)),
        row.getString(5),
        row.getObject(6, OffsetDateTime.class).toInstant(),
        instant(row, 7),
        instant(row, 8),
        instant(row, 9));
  }

  private static List<String> texts(ResultSet row, int column) throws SQLException {
    Array array = row.getArray(column);
    return array == null ? List.of() : Arrays.asList((String[]) array.getArray());
  }

  private static @Nullable Instant instant(ResultSet row, int column) throws SQLException {
    OffsetDateTime at = row.getObject(column, OffsetDateTime.class);
    return at == null ? null : at.toInstant();
  }
}
