package dev.millpond.engine.flush.store;

import dev.millpond.engine.flush.Portion.LogLine;
import dev.millpond.engine.lifecycle.store.PgArray;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.List;

/**
 * Writes log lines of jobs whose gate the caller has passed. It owns the transaction. Stateless.
 */
public final class LogStore {
  private static final String INSERT =
      """
      INSERT INTO millpond.job_log (job_id, lease_token, line_no, logged_at, line)
      SELECT * FROM unnest(?::uuid[], ?::int4[], ?::int4[], ?::timestamptz[], ?::text[])
      ON CONFLICT DO NOTHING
      """;

  private LogStore() {}

  public static void insert(Connection tx, List<LogLine> lines) throws SQLException {
    if (lines.isEmpty()) {
      return;
    }
    try (PreparedStatement statement = tx.prepareStatement(INSERT)) {
      statement.setObject(1, PgArray.uuids(lines, LogLine::jobId));
      statement.setObject(2, PgArray.ints(lines, LogLine::token));
      statement.setObject(3, PgArray.ints(lines, LogLine::lineNo));
      statement.setObject(4, PgArray.instants(lines, LogLine::loggedMicros));
      statement.setObject(5, PgArray.texts(lines, LogLine::line));
      statement.executeUpdate();
    }
  }
}
