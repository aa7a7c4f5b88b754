package dev.millpond.engine.query.store;

import dev.millpond.api.JobState;
import dev.millpond.api.JobView;
import dev.millpond.api.JobView.Attempt;
import dev.millpond.api.JobView.JobError;
import dev.millpond.api.JobView.Progress;
import dev.millpond.engine.lifecycle.store.PgArray;
import dev.millpond.engine.query.JobSummary;
import dev.millpond.engine.submit.JobJson;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Reads jobs: one with its attempts, or many in short. The caller owns the transaction. Stateless.
 */
public final class JobStore {
  private static final String SUMMARY =
      "SELECT j.id, j.queue, coalesce(s.class, j.class) AS class, j.kind, j.options, j.created_at, "
          + state("o.outcome", "s.phase")
          + """
           AS state,
             coalesce(o.attempt, s.attempt, 1) AS attempt, s.wait_reason, s.run_at,
             coalesce(o.started_at, s.started_at) AS started_at,
             coalesce(o.ended_at, d.dead_at) AS ended_at,
             s.progress_percent, s.progress_message,
             d.error_type, d.error_message
          """;

  private static final String WHOLE =
      ", d.error_stack, j.payload, coalesce(o.result, r.result) AS result, o.lease_token,"
          + " o.worker_id\n";

  private static final String LIVE =
      """
      LEFT JOIN millpond.job_state s ON s.job_id = j.id
      LEFT JOIN millpond.dead_letter d ON d.job_id = j.id
      """;

  private static final String FIND =
      SUMMARY
          + WHOLE
          + """
          FROM millpond.job j
          LEFT JOIN millpond.job_outcome o ON o.job_id = j.id
          """
          + LIVE
          + """
          LEFT JOIN millpond.job_result r ON r.job_id = j.id AND r.expires_at > now()
          WHERE j.id = ?
          """;

  /** The range of the ids says which partitions of the outcomes can be meant. */
  private static final String LIST =
      SUMMARY
          + """
          FROM millpond.job j
          LEFT JOIN millpond.job_outcome o ON o.job_id = j.id AND o.job_id BETWEEN ? AND ?
          """
          + LIVE
          + "WHERE j.id = ANY (?::uuid[])";

  private static final String LAST_ERRORS =
      """
      SELECT DISTINCT ON (job_id) job_id, error_type, error_message
      FROM millpond.job_attempt WHERE job_id = ANY (?::uuid[])
      ORDER BY job_id, lease_token DESC
      """;

  private static final String ATTEMPTS =
      """
      SELECT attempt, lease_token, worker_id, started_at, ended_at, ended,
             error_type, error_message, error_stack
      FROM millpond.job_attempt WHERE job_id = ? ORDER BY lease_token
      """;

  private JobStore() {}

  /**
   * The state that people see, in SQL.
   *
   * @param outcome null for a job without one
   * @param phase of its state row, null for none
   */
  static String state(String outcome, String phase) {
    return "coalesce(" + outcome + ", " + phase + ", 'runnable')";
  }

  /** Reads it with its holder in one snapshot. */
  public static Optional<JobView> find(Connection tx, UUID id) throws SQLException {
    Snapshot.begin(tx);
    Optional<JobView> found = read(tx, id);
    return found.isPresent() ? Optional.of(HolderReader.add(tx, found.get())) : found;
  }

  /** Reads it without its holder, which may take a while to find, in the caller's snapshot. */
  static Optional<JobView> read(Connection tx, UUID id) throws SQLException {
    // Jobs before attempts, as everywhere: partitions are locked in this order.
    try (PreparedStatement statement = tx.prepareStatement(FIND)) {
      statement.setObject(1, id);
      try (ResultSet row = statement.executeQuery()) {
        return row.next() ? Optional.of(view(row, attempts(tx, id))) : Optional.empty();
      }
    }
  }

  /**
   * Reads jobs without payload, result, attempts and stack, in the order of their ids.
   *
   * @param ids greatest first
   */
  static List<JobSummary> summaries(Connection tx, List<UUID> ids) throws SQLException {
    if (ids.isEmpty()) {
      return List.of();
    }
    PgArray array = PgArray.uuids(ids.toArray(UUID[]::new));
    Map<UUID, JobError> errors = lastErrors(tx, array);
    Map<UUID, JobSummary> jobs = new HashMap<>();
    try (PreparedStatement statement = tx.prepareStatement(LIST)) {
      statement.setObject(1, ids.getLast());
      statement.setObject(2, ids.getFirst());
      statement.setObject(3, array);
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          JobSummary job = summary(row, errors.get(row.getObject("id", UUID.class)), null);
          jobs.put(job.id(), job);
        }
      }
    }
    List<JobSummary> ordered = new ArrayList<>();
    for (UUID id : ids) {
      JobSummary job = jobs.get(id);
      if (job != null) {
        ordered.add(job);
      }
    }
    return ordered;
  }

  private static Map<UUID, JobError> lastErrors(Connection tx, PgArray ids) throws SQLException {
    Map<UUID, JobError> errors = new HashMap<>();
    try (PreparedStatement statement = tx.prepareStatement(LAST_ERRORS)) {
      statement.setObject(1, ids);
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          if (row.getString(2) != null) {
            errors.put(
                row.getObject(1, UUID.class),
                new JobError(row.getString(2), row.getString(3), null));
          }
        }
      }
    }
    return errors;
  }

  /**
   * Makes a summary of a row.
   *
   * @param attempted the error of the last attempt; a dead letter has its own
   * @param stack of the dead letter
   */
  private static JobSummary summary(
      ResultSet row, @Nullable JobError attempted, @Nullable String stack) throws SQLException {
    JobState state = JobState.of(row.getString("state"));
    String died = row.getString("error_type");
    JobError error =
        died == null ? attempted : new JobError(died, row.getString("error_message"), stack);
    boolean live = !state.ended();
    boolean progressing = live && row.getObject("progress_percent") != null;
    return new JobSummary(
        row.getObject("id", UUID.class),
        row.getString("kind"),
        row.getString("queue"),
        row.getString("class"),
        JobJson.options(row.getString("options")),
        new JobSummary.Status(
            state,
            live ? row.getString("wait_reason") : null,
            row.getInt("attempt"),
            new JobView.Timing(
                row.getObject("created_at", OffsetDateTime.class).toInstant(),
                live ? instant(row, "run_at") : null,
                instant(row, "started_at"),
                instant(row, "ended_at")),
            state == JobState.SUCCEEDED ? null : error,
            progressing
                ? new Progress(row.getInt("progress_percent"), row.getString("progress_message"))
                : null));
  }

  private static JobView view(ResultSet row, List<Attempt> ended) throws SQLException {
    JobError last = ended.isEmpty() ? null : ended.getLast().error();
    JobSummary job = summary(row, last, row.getString("error_stack"));
    JobSummary.Status status = job.status();
    List<Attempt> attempts = new ArrayList<>(ended);
    if (status.state() == JobState.SUCCEEDED) {
      attempts.add(succeeded(row));
    }
    return new JobView(
        new JobView.Request(
            job.id(),
            job.kind(),
            job.queue(),
            job.priorityClass(),
            row.getString("payload"),
            job.options()),
        status.state(),
        status.waitReason(),
        status.attempt(),
        status.timing(),
        row.getString("result"),
        status.error(),
        attempts,
        status.progress());
  }

  private static Attempt succeeded(ResultSet row) throws SQLException {
    return new Attempt(
        row.getInt("attempt"),
        row.getInt("lease_token"),
        row.getObject("worker_id", UUID.class),
        instant(row, "started_at"),
        row.getObject("ended_at", OffsetDateTime.class).toInstant(),
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
                  instant(rows, "started_at"),
                  rows.getObject(5, OffsetDateTime.class).toInstant(),
                  rows.getString(6),
                  type == null ? null : new JobError(type, rows.getString(8), rows.getString(9))));
        }
      }
    }
    return attempts;
  }

  private static @Nullable Instant instant(ResultSet row, String column) throws SQLException {
    OffsetDateTime value = row.getObject(column, OffsetDateTime.class);
    return value == null ? null : value.toInstant();
  }
}
