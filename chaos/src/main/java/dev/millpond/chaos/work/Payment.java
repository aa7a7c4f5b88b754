package dev.millpond.chaos.work;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.UUID;

/**
 * A row that a handler writes in the transaction that completes its job. No constraint keeps it
 * single: a second effect would stay, and be found.
 *
 * @param number of the job in the campaign
 * @param token under which it was written
 * @param run that wrote it
 */
public record Payment(UUID jobId, long number, int token, String run) {
  /** Makes the table. */
  public static final String TABLE =
      """
      CREATE SCHEMA IF NOT EXISTS chaos;
      CREATE TABLE IF NOT EXISTS chaos.payment (
        job_id uuid NOT NULL,
        number bigint NOT NULL,
        token integer NOT NULL,
        run text NOT NULL
      )
      """;

  /** Reads all of it. */
  public static final String SELECT = "SELECT job_id, number, token, run FROM chaos.payment";

  private static final String INSERT =
      "INSERT INTO chaos.payment (job_id, number, token, run) VALUES (?, ?, ?, ?)";

  void insert(Connection connection) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(INSERT)) {
      statement.setObject(1, jobId);
      statement.setLong(2, number);
      statement.setInt(3, token);
      statement.setString(4, run);
      statement.executeUpdate();
    }
  }
}
