package dev.millpond.engine.query.store;

import dev.millpond.api.JobState;
import dev.millpond.engine.dispatch.Batch;
import dev.millpond.engine.dispatch.Lane;
import dev.millpond.engine.dispatch.store.DispatchStore;
import dev.millpond.engine.lifecycle.store.IdTime;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Finds what holds one job: its state row, or the dispatch row that names it at its token (rule
 * R1). The caller owns the transaction. Stateless.
 */
final class HolderStore {
  /** A job that moves from one holder to the next is looked for again this often. */
  static final int LOOKS_MAX = 10;

  /**
   * A batch is made after its jobs, so its id is higher than theirs; but it may be made by a
   * process whose clock is a little behind.
   */
  private static final long MARGIN_MILLIS = 2_000;

  private static final String QUERY_CANCELED = "57014";

  private static final String JOB =
      "SELECT queue, class, kind, options FROM millpond.job WHERE id = ?";

  private static final String LOCK_STATE =
      """
      SELECT phase, lease_token, attempt, class FROM millpond.job_state
      WHERE job_id = ? FOR UPDATE
      """;

  private static final String OUTCOME = "SELECT outcome FROM millpond.job_outcome WHERE job_id = ?";

  /**
   * Goes along the lane's index from the job's age on: the row of a first attempt is found at once.
   */
  private static final String BATCH =
      "SELECT "
          + DispatchStore.COLUMNS
          + """
          , direct, sent_at, claimed_by, claimed_at
          FROM millpond.dispatch
          WHERE queue = ? AND class = ? AND (kind, id) > (?, ?) AND kind <= ?
            AND job_ids @> ARRAY[?::uuid]
            AND coalesce(tokens[array_position(job_ids, ?)], 1) = ?
          ORDER BY kind, id LIMIT 1
          """;

  private HolderStore() {}

  /** What was asked, as far as steering needs it. */
  record Job(UUID id, Lane lane, String kind, @Nullable String options) {}

  /**
   * A job's state row, locked.
   *
   * @param priorityClass it is in now
   */
  record State(JobState phase, int token, int attempt, String priorityClass) {}

  /** How a dispatch row is read. */
  enum Mode {
    READ(""),
    LOCK(" FOR UPDATE"),
    LOCK_IF_FREE(" FOR UPDATE SKIP LOCKED");

    private final String clause;

    Mode(String clause) {
      this.clause = clause;
    }
  }

  /**
   * The dispatch row that names a job.
   *
   * @param direct whether it is to be claimed from the table
   */
  record Row(
      Batch batch,
      boolean direct,
      @Nullable Instant sentAt,
      @Nullable UUID claimedBy,
      @Nullable Instant claimedAt) {
    /** Whether nobody has taken it. */
    boolean waits() {
      return sentAt == null && claimedBy == null;
    }
  }

  static @Nullable Job job(Connection tx, UUID id) throws SQLException {
    try (PreparedStatement statement = tx.prepareStatement(JOB)) {
      statement.setObject(1, id);
      try (ResultSet row = statement.executeQuery()) {
        return row.next()
            ? new Job(
                id,
                new Lane(row.getString(1), row.getString(2)),
                row.getString(3),
                row.getString(4))
            : null;
      }
    }
  }

  static @Nullable State lock(Connection tx, UUID id) throws SQLException {
    try (PreparedStatement statement = tx.prepareStatement(LOCK_STATE)) {
      statement.setObject(1, id);
      try (ResultSet row = statement.executeQuery()) {
        return row.next()
            ? new State(
                JobState.of(row.getString(1)), row.getInt(2), row.getInt(3), row.getString(4))
            : null;
      }
    }
  }

  static @Nullable JobState ended(Connection tx, UUID id) throws SQLException {
    try (PreparedStatement statement = tx.prepareStatement(OUTCOME)) {
      statement.setObject(1, id);
      try (ResultSet row = statement.executeQuery()) {
        return row.next() ? JobState.of(row.getString(1)) : null;
      }
    }
  }

  /** The dispatch row that names a job at a token; null when there is none to be had. */
  static @Nullable Row batch(Connection tx, Job job, Lane lane, int token, Mode mode)
      throws SQLException {
    try (PreparedStatement statement = tx.prepareStatement(BATCH + mode.clause)) {
      int i = 0;
      statement.setString(++i, lane.queue());
      statement.setString(++i, lane.priorityClass());
      statement.setString(++i, job.kind());
      statement.setObject(++i, from(job.id()));
      statement.setString(++i, job.kind());
      statement.setObject(++i, job.id());
      statement.setObject(++i, job.id());
      statement.setInt(++i, token);
      try (ResultSet row = statement.executeQuery()) {
        return row.next()
            ? new Row(
                DispatchStore.batch(row),
                row.getBoolean(8),
                instant(row, 9),
                row.getObject(10, UUID.class),
                instant(row, 11))
            : null;
      }
    }
  }

  /**
   * As {@link #batch}, given up after a time: the row of a job that was promoted or rescued may be
   * far along a long lane.
   */
  static @Nullable Row batchWithin(
      Connection tx, Duration time, Job job, Lane lane, int token, Mode mode) throws SQLException {
    Savepoint before = tx.setSavepoint();
    try {
      timeout(tx, Long.toString(time.toMillis()));
      Row row = batch(tx, job, lane, token, mode);
      timeout(tx, "DEFAULT");
      tx.releaseSavepoint(before);
      return row;
    } catch (SQLException e) {
      if (!QUERY_CANCELED.equals(e.getSQLState())) {
        throw e;
      }
      tx.rollback(before);
      return null;
    }
  }

  private static void timeout(Connection tx, String millis) throws SQLException {
    try (Statement statement = tx.createStatement()) {
      statement.execute("SET LOCAL statement_timeout = " + millis);
    }
  }

  /** The lowest id of a moment before the job's. */
  private static UUID from(UUID id) {
    return IdTime.lowest(IdTime.millis(id) - MARGIN_MILLIS);
  }

  private static @Nullable Instant instant(ResultSet row, int column) throws SQLException {
    OffsetDateTime value = row.getObject(column, OffsetDateTime.class);
    return value == null ? null : value.toInstant();
  }
}
