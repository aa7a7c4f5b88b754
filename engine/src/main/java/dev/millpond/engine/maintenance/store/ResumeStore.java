package dev.millpond.engine.maintenance.store;

import dev.millpond.engine.dispatch.Lane;
import dev.millpond.engine.maintenance.store.RescueStore.Lost;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/** Jobs that wait for the sake of a tag. The caller owns the transaction. Stateless. */
public final class ResumeStore {
  /** Skips along the index from one tag to the next, whatever number of jobs they have. */
  private static final String FREE_TAGS =
      """
      WITH RECURSIVE t AS (
          (SELECT paused_tag FROM millpond.job_state
           WHERE paused_tag IS NOT NULL ORDER BY paused_tag LIMIT 1)
          UNION ALL
          SELECT n.paused_tag
          FROM t CROSS JOIN LATERAL (
              SELECT s.paused_tag FROM millpond.job_state s
              WHERE s.paused_tag > t.paused_tag ORDER BY s.paused_tag LIMIT 1) n)
      SELECT paused_tag FROM t
      WHERE NOT EXISTS (SELECT FROM millpond.pause p
                        WHERE p.scope = 'tag' AND p.name = t.paused_tag)
      """;

  private static final String RESUME =
      """
      UPDATE millpond.job_state
      SET phase = 'runnable', wait_reason = NULL, paused_tag = NULL
      WHERE job_id = ANY (ARRAY (
          SELECT job_id FROM millpond.job_state
          WHERE paused_tag = ? ORDER BY job_id LIMIT ? FOR UPDATE SKIP LOCKED))
      RETURNING job_id, queue, class, kind, lease_token
      """;

  private ResumeStore() {}

  /** Tags that jobs wait for although they are not paused any more. */
  public static List<String> freeTags(Connection tx) throws SQLException {
    List<String> tags = new ArrayList<>();
    try (Statement statement = tx.createStatement();
        ResultSet rows = statement.executeQuery(FREE_TAGS)) {
      while (rows.next()) {
        tags.add(rows.getString(1));
      }
    }
    return tags;
  }

  /** Makes the oldest jobs of a tag runnable; the caller gives each a dispatch row. */
  public static List<Lost> resume(Connection tx, String tag, int limit) throws SQLException {
    List<Lost> resumed = new ArrayList<>();
    try (PreparedStatement statement = tx.prepareStatement(RESUME)) {
      statement.setString(1, tag);
      statement.setInt(2, limit);
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          resumed.add(
              new Lost(
                  rows.getObject(1, UUID.class),
                  new Lane(rows.getString(2), rows.getString(3)),
                  rows.getString(4),
                  rows.getInt(5)));
        }
      }
    }
    return resumed;
  }
}
