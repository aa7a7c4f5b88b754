package dev.millpond.engine.maintenance.store;

import dev.millpond.engine.lifecycle.store.Pg;
import dev.millpond.engine.lifecycle.store.PgArray;
import dev.millpond.engine.maintenance.store.RetentionStore.Cut;
import dev.millpond.engine.maintenance.store.RetentionStore.Manner;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import java.util.Set;
import java.util.UUID;

/**
 * Finds the jobs that stay when their day is dropped, without a lock: the day is sealed before, and
 * what has become of them is copied later, under the lock. The caller owns the transaction.
 * Stateless.
 */
final class SurvivorStore {
  private static final String PAGE_END =
      "SELECT id FROM millpond.job_%s WHERE id > ? AND id <= ? ORDER BY id OFFSET ? LIMIT 1";

  private static final String KEPT =
      """
      SELECT count(*),
             array_agg(j.id) FILTER (WHERE o.job_id IS NULL
                 OR o.ended_at >= CASE o.outcome WHEN 'succeeded' THEN ? ELSE ? END)
      FROM millpond.job_%s j
      LEFT JOIN millpond.job_outcome_%s o ON o.job_id = j.id AND o.job_id > ? AND o.job_id <= ?
      WHERE j.id > ? AND j.id <= ?
      """;

  /** Whoever has a state row is left to those that see to it, ended or not. */
  private static final String WITH_STATE =
      "SELECT job_id FROM millpond.job_state WHERE job_id > ? AND job_id <= ? LIMIT ?";

  /** Bytes of the texts that have to be written again, as far as they may be large. */
  private static final String BYTES =
      """
      SELECT (SELECT coalesce(sum(octet_length(payload)), 0)
              FROM millpond.job_%s WHERE id = ANY (?::uuid[]))
           + (SELECT coalesce(sum(octet_length(result)), 0)
              FROM millpond.job_outcome_%s WHERE job_id = ANY (?::uuid[]))
           + (SELECT coalesce(sum(octet_length(error_message)), 0)
                     + coalesce(sum(octet_length(error_stack)), 0)
              FROM millpond.job_attempt_%s WHERE job_id = ANY (?::uuid[]))
           + (SELECT coalesce(sum(octet_length(line)), 0)
              FROM millpond.job_log_%s WHERE job_id = ANY (?::uuid[]))
      """;

  private SurvivorStore() {}

  /**
   * Adds the day's survivors to those given, until there are more than may be moved; how many jobs
   * it looked at.
   */
  static long find(Connection tx, Part part, Cut cut, Manner manner, Set<UUID> survivors)
      throws SQLException {
    withState(tx, part, manner.survivors() + 1, survivors);
    long jobs = 0;
    UUID from = part.after();
    while (survivors.size() <= manner.survivors()) {
      UUID end = part.pageEnd(tx, part.sql(PAGE_END), from, manner.page());
      UUID to = end == null ? part.upTo() : end;
      try (PreparedStatement statement = tx.prepareStatement(part.sql(KEPT))) {
        statement.setObject(1, cut.succeeded());
        statement.setObject(2, cut.cancelled());
        statement.setObject(3, from);
        statement.setObject(4, to);
        statement.setObject(5, from);
        statement.setObject(6, to);
        try (ResultSet row = statement.executeQuery()) {
          row.next();
          jobs += row.getLong(1);
          if (row.getArray(2) != null) {
            survivors.addAll(List.of(Pg.uuids(row, 2)));
          }
        }
      }
      if (end == null) {
        break;
      }
      from = end;
    }
    return jobs;
  }

  /** Of the texts of survivors that have to be written again. */
  static long bytes(Connection tx, Part part, Set<UUID> survivors) throws SQLException {
    if (survivors.isEmpty()) {
      return 0;
    }
    try (PreparedStatement statement = tx.prepareStatement(part.sql(BYTES))) {
      Object ids = PgArray.uuids(survivors.toArray(UUID[]::new));
      for (int table = 1; table <= Part.TABLES.length; table++) {
        statement.setObject(table, ids);
      }
      try (ResultSet row = statement.executeQuery()) {
        row.next();
        return row.getLong(1);
      }
    }
  }

  private static void withState(Connection tx, Part part, int limit, Set<UUID> survivors)
      throws SQLException {
    try (PreparedStatement statement = tx.prepareStatement(WITH_STATE)) {
      statement.setObject(1, part.after());
      statement.setObject(2, part.upTo());
      statement.setInt(3, limit);
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          survivors.add(rows.getObject(1, UUID.class));
        }
      }
    }
  }
}
