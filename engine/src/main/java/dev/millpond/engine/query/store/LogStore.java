package dev.millpond.engine.query.store;

import dev.millpond.engine.query.Cursors;
import dev.millpond.engine.query.Cursors.LogPosition;
import dev.millpond.engine.query.LogLine;
import dev.millpond.engine.query.Page;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/** Reads what runs of a job have logged. The caller owns the transaction. Stateless. */
public final class LogStore {
  private static final String JOB = "SELECT 1 FROM millpond.job WHERE id = ?";

  private static final String LINES =
      """
      SELECT lease_token, line_no, logged_at, line FROM millpond.job_log
      WHERE job_id = ? AND (lease_token, line_no) > (?, ?)
      ORDER BY lease_token, line_no LIMIT ?
      """;

  private LogStore() {}

  /** Lines after a position, oldest run first; empty when there is no such job. */
  public static Optional<Page<LogLine>> read(Connection tx, UUID id, LogPosition after, int limit)
      throws SQLException {
    Snapshot.begin(tx);
    try (PreparedStatement statement = tx.prepareStatement(JOB)) {
      statement.setObject(1, id);
      try (ResultSet row = statement.executeQuery()) {
        if (!row.next()) {
          return Optional.empty();
        }
      }
    }
    List<LogLine> lines = new ArrayList<>();
    try (PreparedStatement statement = tx.prepareStatement(LINES)) {
      statement.setObject(1, id);
      statement.setInt(2, after.leaseToken());
      statement.setInt(3, after.line());
      statement.setInt(4, limit + 1);
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          lines.add(
              new LogLine(
                  row.getInt(1),
                  row.getInt(2),
                  row.getObject(3, OffsetDateTime.class).toInstant(),
                  row.getString(4)));
        }
      }
    }
    if (lines.size() <= limit) {
      return Optional.of(new Page<>(lines, null, false));
    }
    LogLine last = lines.get(limit - 1);
    return Optional.of(
        new Page<>(
            lines.subList(0, limit),
            Cursors.of(new LogPosition(last.leaseToken(), last.line())),
            false));
  }
}
