package dev.millpond.engine.flush.store;

import dev.millpond.engine.lifecycle.store.PgArray;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;

/** Tells ended jobs from live ones. The caller owns the transaction. Stateless. */
public final class EndedJobs {
  /** The bounds of the ids let PostgreSQL leave out the partitions of other days. */
  private static final String ENDED =
      """
      SELECT job_id FROM millpond.job_outcome
      WHERE job_id = ANY (?::uuid[]) AND job_id BETWEEN ? AND ?
      """;

  private EndedJobs() {}

  /** Those of the jobs that have an outcome. */
  public static Set<UUID> among(Connection tx, Collection<UUID> ids) throws SQLException {
    Set<UUID> ended = new HashSet<>();
    if (ids.isEmpty()) {
      return ended;
    }
    List<UUID> sorted = ids.stream().sorted(PgArray.UUID_ORDER).toList();
    try (PreparedStatement statement = tx.prepareStatement(ENDED)) {
      statement.setObject(1, PgArray.uuids(sorted.toArray(UUID[]::new)));
      statement.setObject(2, sorted.getFirst());
      statement.setObject(3, sorted.getLast());
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          ended.add(rows.getObject(1, UUID.class));
        }
      }
    }
    return ended;
  }
}
