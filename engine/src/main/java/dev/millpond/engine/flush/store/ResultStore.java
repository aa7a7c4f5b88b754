package dev.millpond.engine.flush.store;

import dev.millpond.engine.lifecycle.store.PgArray;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.List;
import java.util.UUID;

/**
 * Writes results that live shorter than their jobs, in the commit of their outcomes. The caller
 * owns the transaction. Stateless.
 */
public final class ResultStore {
  private static final String INSERT =
      """
      INSERT INTO millpond.job_result (job_id, result, expires_at)
      SELECT u.id, u.result, now() + u.ttl * interval '1 microsecond'
      FROM unnest(?::uuid[], ?::text[], ?::int8[]) AS u (id, result, ttl)
      """;

  private ResultStore() {}

  /**
   * A result to keep for a while.
   *
   * @param ttlMicros from the commit on
   */
  public record Kept(UUID jobId, String result, long ttlMicros) {}

  public static void insert(Connection tx, List<Kept> results) throws SQLException {
    if (results.isEmpty()) {
      return;
    }
    try (PreparedStatement statement = tx.prepareStatement(INSERT)) {
      statement.setObject(1, PgArray.uuids(results, Kept::jobId));
      statement.setObject(2, PgArray.texts(results, Kept::result));
      statement.setObject(3, PgArray.longs(results, Kept::ttlMicros));
      statement.executeUpdate();
    }
  }
}
