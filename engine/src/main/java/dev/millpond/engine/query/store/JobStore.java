package dev.millpond.engine.query.store;

import dev.millpond.api.JobState;
import dev.millpond.api.JobView;
import dev.millpond.api.JobView.Attempt;
import dev.millpond.api.JobView.JobError;
import dev.millpond.api.JobView.Progress;
import dev.millpond.engine.submit.JobJson;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Reads one job with its attempts. The caller owns the transaction. Stateless. */
public final class JobStore {
  private static final String FIND =
      """
      SELECT j.queue, coalesce(s.class, j.class), j.kind, j.payload, j.options, j.created_at,
             o.outcome, o.attempt, o.lease_token, o.worker_id, o.started_at, o.ended_at,
             coalesce(o.result, r.result),
             s.phase, s.wait_reason, s.attempt, s.run_at, s.started_at, s.progress_percent,
             s.progress_message, d.dead_at
      FROM millpond.job j
      LEFT JOIN millpond.job_outcome o ON o.job_id = j.id
      LEFT JOIN millpond.job_state s ON s.job_id = j.id
      LEFT JOIN millpond.dead_letter d ON d.job_id = j.id
      LEFT JOIN millpond.job_result r ON r.job_id = j.id AND r.expires_at > now()
      WHERE j.id = ?
      """;

  private static final String ATTEMPTS =
      """
      SELECT attempt, lease_token, worker_id, started_at, ended_at, ended,
             error_type, error_message, error_stack
      FROM millpond.job_attempt WHERE job_id = ? ORDER BY lease_token
      """;

  private JobStore() {}

  /** Reads it with its holder in one snapshot. */
  public static Optional<JobView> find(Connection tx, UUID id) throws SQLException {
    try (Statement statement = tx.createStatement()) {
      statement.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY");
    }
    Optional<JobView> found = read(tx, id);
    return found.isPresent() ? Optional.of(HolderReader.add(tx, found.get())) : found;
  }

  private static Optional<JobView> read(Connection tx, UUID id) throws SQLException {
    List<Attempt> attempts = attempts(tx, id);
    try (PreparedStatement statement = tx.prepareStatement(FIND)) {
      statement.setObject(1, id);
      try (ResultSet row = statement.executeQuery()) {
        return row.next() ? Optional.of(view(id, row, attempts)) : Optional.empty();
      }
    }
  }

  private static JobView view(UUID id, ResultSet row, List<Attempt> ended) throws SQLException {
    JobView.Request request =
        new JobView.Request(
            id,
            row.getString(3),
            row.getString(1),
            row.getString(2),
            row.getString(4),
            JobJson.options(row.getString(5)));
    Instant createdAt = row.getObject(6, OffsetDateTime.class).toInstant();
    String outcome = row.getString(7);
    List<Attempt> attempts = new ArrayList<>(ended);
    JobError error = ended.isEmpty() ? null : ended.getLast().error();
    if (outcome != null) {
      if (outcome.equals("succeeded")) {
        attempts.add(succeeded(row));
        error = null;
      }
      return new JobView(
          request,
          JobState.of(outcome),
          null,
          row.getInt(8),
          new JobView.Timing(createdAt, null, instant(row, 11), instant(row, 12)),
          row.getString(13),
          error,
          attempts,
          null);
    }
    String phase = row.getString(14);
    if (phase == null) {
      return new JobView(
          request,
          JobState.RUNNABLE,
          null,
          1,
          new JobView.Timing(createdAt, null, null, null),
          null,
          error,
          attempts,
          null);
    }
    return new JobView(
        request,
        JobState.of(phase),
        row.getString(15),
        row.getInt(16),
        new JobView.Timing(createdAt, instant(row, 17), instant(row, 18), instant(row, 21)),
        null,
        error,
        attempts,
        row.getObject(19) == null ? null : new Progress(row.getInt(19), row.getString(20)));
  }

  private static Attempt succeeded(ResultSet row) throws SQLException {
    return new Attempt(
        row.getInt(8),
        row.getInt(9),
        row.getObject(10, UUID.class),
        instant(row, 11),
        row.getObject(12, OffsetDateTime.class).toInstant(),
        "succeeded",
        null);
  }

  private static List<Attempt> attempts(Connection tx, UUID id) throws SQLException {
    List<Attempt> attempts = new ArrayList<>();
    try (PreparedStatement statement = tx.prepareStatement(ATTEMPTS)) {
      statement.setObject(1, id);
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          String type = rows.getString(7);
          attempts.add(
              new Attempt(
                  rows.getInt(1),
                  rows.getInt(2),
                  rows.getObject(3, UUID.class),
                  instant(rows, 4),
                  rows.getObject(5, OffsetDateTime.class).toInstant(),
                  rows.getString(6),
                  type == null ? null : new JobError(type, rows.getString(8), rows.getString(9))));
        }
      }
    }
    return attempts;
  }

  private static @Nullable Instant instant(ResultSet row, int column) throws SQLException {
    OffsetDateTime value = row.getObject(column, OffsetDateTime.class);
    return value == null ? null : value.toInstant();
  }
}
