package dev.millpond.engine.flush.store;

import dev.millpond.engine.flush.KeyedSubmit;
import dev.millpond.engine.lifecycle.store.PgArray;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;

/**
 * Whether a submit is answered from its idempotency keys, so that it brings no new job into a full
 * queue. The caller owns the transaction. Stateless.
 */
public final class KnownKeys {
  private static final String COUNT =
      """
      SELECT count(*) FROM millpond.idempotency_key
      WHERE (principal, key) IN (SELECT unnest(?::text[]), unnest(?::text[]))
        AND expires_at > now()
      """;

  private KnownKeys() {}

  /** Whether the key of the request is known, or where it has none the keys of all its jobs are. */
  public static boolean all(Connection connection, KeyedSubmit submit) throws SQLException {
    if (submit.request() != null) {
      return known(connection, List.of(submit.request())) == 1;
    }
    List<KeyedSubmit.Key> keys = submit.keys();
    return keys.size() == submit.items().size()
        && known(connection, keys) == keys.stream().map(KeyedSubmit.Key::key).distinct().count();
  }

  private static long known(Connection connection, List<KeyedSubmit.Key> keys) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(COUNT)) {
      statement.setObject(1, PgArray.texts(keys, KeyedSubmit.Key::principal));
      statement.setObject(2, PgArray.texts(keys, KeyedSubmit.Key::key));
      try (ResultSet row = statement.executeQuery()) {
        row.next();
        return row.getLong(1);
      }
    }
  }
}
