package dev.millpond.engine.maintenance.store;

import dev.millpond.engine.dispatch.Lane;
import dev.millpond.engine.lifecycle.store.PgArray;
import dev.millpond.engine.maintenance.store.RescueStore.Lost;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.UUID;

/** Jobs whose time has come. The caller owns the transaction. */
public final class PromoteStore {
  private static final String DUE =
      """
      UPDATE millpond.job_state SET phase = 'runnable', wait_reason = NULL, run_at = NULL
      WHERE job_id = ANY (ARRAY (
          SELECT job_id FROM millpond.job_state
          WHERE phase = 'scheduled' AND run_at <= now()
          ORDER BY run_at LIMIT ? FOR UPDATE SKIP LOCKED))
      RETURNING job_id, queue, class, kind, lease_token
      """;

  private static final String DROP =
      "DELETE FROM millpond.job_state WHERE job_id = ANY (?::uuid[])";

  private PromoteStore() {}

  /** Makes due jobs runnable; the caller gives each a dispatch row in the same transaction. */
  public static List<Lost> due(Connection tx, int limit) throws SQLException {
    List<Lost> due = new ArrayList<>();
    try (PreparedStatement statement = tx.prepareStatement(DUE)) {
      statement.setInt(1, limit);
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          due.add(
              new Lost(
                  rows.getObject(1, UUID.class),
                  new Lane(rows.getString(2), rows.getString(3)),
                  rows.getString(4),
                  rows.getInt(5)));
        }
      }
    }
    return due;
  }

  /** Drops state rows of ended jobs. */
  public static void drop(Connection tx, Collection<UUID> ids) throws SQLException {
    if (ids.isEmpty()) {
      return;
    }
    try (PreparedStatement statement = tx.prepareStatement(DROP)) {
      statement.setObject(1, PgArray.uuids(ids.toArray(UUID[]::new)));
      statement.executeUpdate();
    }
  }
}
