package dev.millpond.engine.fleet.store;

import dev.millpond.engine.fleet.RunningJob;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/** The running jobs of a worker. The caller owns the transaction. Stateless. */
public final class RunningStore {
  /** Jobs that are listed: the longest running. */
  public static final int LIST_MAX = 100;

  private static final String RUNNING =
      """
      SELECT s.job_id, s.kind, s.queue, s.class, s.attempt, s.started_at, s.seen_at, s.deadline,
             s.progress_percent, s.cancel_requested
      FROM millpond.job_state s
      WHERE s.phase = 'running' AND s.session = ANY (ARRAY(
          SELECT session FROM millpond.worker WHERE session = ? OR process = ?))
      ORDER BY s.started_at, s.job_id LIMIT ?
      """;

  private RunningStore() {}

  /**
   * What a worker runs, the longest running first.
   *
   * @param worker id of a session or a process
   */
  public static List<RunningJob> read(Connection tx, UUID worker) throws SQLException {
    List<RunningJob> jobs = new ArrayList<>();
    try (PreparedStatement statement = tx.prepareStatement(RUNNING)) {
      statement.setObject(1, worker);
      statement.setObject(2, worker);
      statement.setInt(3, LIST_MAX);
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          jobs.add(job(rows));
        }
      }
    }
    return jobs;
  }

  private static RunningJob job(ResultSet row) throws SQLException {
    int percent = row.getInt(9);
    boolean silent = row.wasNull();
    return new RunningJob(
        row.getObject(1, UUID.class),
        row.getString(2),
        row.getString(3),
        row.getString(4),
        row.getInt(5),
        instant(row, 6),
        instant(row, 7),
        instant(row, 8),
        silent ? null : percent,
        row.getBoolean(10));
  }

  private static Instant instant(ResultSet row, int column) throws SQLException {
    return row.getObject(column, OffsetDateTime.class).toInstant();
  }
}
