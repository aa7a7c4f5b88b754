package dev.millpond.engine.worker.store;

import dev.millpond.engine.worker.forked.ChildDeath;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.UUID;

/** How often a job has killed the child process that ran it. The caller owns the transaction. */
public final class DeathStore {
  /** Attempts of lives before a redrive, which begins at 1 again, are beyond the limit. */
  private static final String DEATHS =
      """
      SELECT count(*) FROM (
          SELECT a.error_type FROM millpond.job_attempt a
          WHERE a.job_id = ? ORDER BY a.lease_token DESC LIMIT ?) AS life
      WHERE life.error_type = ANY (?::text[])
      """;

  private DeathStore() {}

  /**
   * Deaths among the ended attempts of a job's present life.
   *
   * @param ended how many attempts have ended
   */
  public static int deaths(Connection tx, UUID job, int ended) throws SQLException {
    try (PreparedStatement statement = tx.prepareStatement(DEATHS)) {
      statement.setObject(1, job);
      statement.setInt(2, ended);
      statement.setArray(
          3,
          tx.createArrayOf(
              "text", Arrays.stream(ChildDeath.values()).map(ChildDeath::type).toArray()));
      try (ResultSet row = statement.executeQuery()) {
        return row.next() ? row.getInt(1) : 0;
      }
    }
  }
}
