package dev.millpond.engine.query.store;

import dev.millpond.api.JobView;
import dev.millpond.api.JobView.Holder;
import dev.millpond.api.JobView.HolderType;
import dev.millpond.api.JobView.Worker;
import dev.millpond.engine.dispatch.Lane;
import dev.millpond.engine.query.NextStep;
import dev.millpond.engine.query.store.HolderStore.Job;
import dev.millpond.engine.query.store.HolderStore.Mode;
import dev.millpond.engine.query.store.HolderStore.Row;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Adds to a job what holds it, in the snapshot in which it was read. The caller owns the
 * transaction. Stateless.
 */
final class HolderReader {
  /** How long the batch of a runnable job is looked for. */
  private static final Duration LOOK = Duration.ofMillis(100);

  private static final String STATE =
      """
      SELECT s.lease_token, s.session, w.host, w.pid, s.seen_at, s.deadline, s.cancel_requested
      FROM millpond.job_state s LEFT JOIN millpond.worker w ON w.session = s.session
      WHERE s.job_id = ?
      """;

  private static final String WORKER = "SELECT host, pid FROM millpond.worker WHERE session = ?";

  private HolderReader() {}

  private record State(
      int token,
      @Nullable Worker worker,
      @Nullable Instant seenAt,
      @Nullable Instant deadline,
      boolean cancelRequested) {}

  static JobView add(Connection tx, JobView job) throws SQLException {
    return switch (job.state()) {
      case SUCCEEDED, CANCELLED -> with(job, outcome(tx, job), false);
      case DEAD -> with(job, Holder.of(HolderType.DEAD_LETTER), false);
      case SCHEDULED, WAITING -> with(job, Holder.of(HolderType.STATE), false);
      case RUNNABLE -> {
        State state = state(tx, job.id());
        yield with(job, batch(tx, job, state == null ? 1 : state.token()), false);
      }
      case RUNNING -> {
        State state = state(tx, job.id());
        yield state == null
            ? with(job, Holder.of(HolderType.STATE), false)
            : with(
                job,
                new Holder(
                    HolderType.STATE,
                    state.worker(),
                    null,
                    null,
                    null,
                    state.seenAt(),
                    state.deadline()),
                state.cancelRequested());
      }
    };
  }

  private static JobView with(JobView job, Holder holder, boolean cancelRequested) {
    return job.withHolder(holder, NextStep.of(job, holder, cancelRequested));
  }

  private static Holder outcome(Connection tx, JobView job) throws SQLException {
    UUID worker = job.attempts().isEmpty() ? null : job.attempts().getLast().workerId();
    return new Holder(
        HolderType.OUTCOME,
        worker == null ? null : worker(tx, worker),
        null,
        null,
        null,
        null,
        null);
  }

  private static Holder batch(Connection tx, JobView job, int token) throws SQLException {
    Lane lane = new Lane(job.request().queue(), job.request().priorityClass());
    Job asked = new Job(job.id(), lane, job.request().kind(), null);
    Row row = HolderStore.batchWithin(tx, LOOK, asked, lane, token, Mode.READ);
    if (row == null) {
      return Holder.of(HolderType.BATCH);
    }
    UUID claimedBy = row.claimedBy();
    return new Holder(
        HolderType.BATCH,
        claimedBy == null ? null : worker(tx, claimedBy),
        row.batch().id(),
        row.sentAt(),
        row.claimedAt(),
        null,
        null);
  }

  private static Worker worker(Connection tx, UUID session) throws SQLException {
    try (PreparedStatement statement = tx.prepareStatement(WORKER)) {
      statement.setObject(1, session);
      try (ResultSet row = statement.executeQuery()) {
        return row.next()
            ? new Worker(session, row.getString(1), row.getLong(2))
            : new Worker(session, null, null);
      }
    }
  }

  private static @Nullable State state(Connection tx, UUID id) throws SQLException {
    try (PreparedStatement statement = tx.prepareStatement(STATE)) {
      statement.setObject(1, id);
      try (ResultSet row = statement.executeQuery()) {
        if (!row.next()) {
          return null;
        }
        UUID session = row.getObject(2, UUID.class);
        String host = row.getString(3);
        return new State(
            row.getInt(1),
            session == null
                ? null
                : new Worker(session, host, host == null ? null : row.getLong(4)),
            instant(row, 5),
            instant(row, 6),
            row.getBoolean(7));
      }
    }
  }

  private static @Nullable Instant instant(ResultSet row, int column) throws SQLException {
    OffsetDateTime value = row.getObject(column, OffsetDateTime.class);
    return value == null ? null : value.toInstant();
  }
}
