package dev.millpond.engine.query.store;

import dev.millpond.api.JobOptions;
import dev.millpond.api.JobState;
import dev.millpond.api.JobView.JobError;
import dev.millpond.engine.audit.store.AuditStore;
import dev.millpond.engine.dispatch.Batch;
import dev.millpond.engine.dispatch.BatchMaker;
import dev.millpond.engine.dispatch.BatchMaker.Member;
import dev.millpond.engine.dispatch.Lane;
import dev.millpond.engine.dispatch.store.DepthMoves;
import dev.millpond.engine.dispatch.store.DepthStore;
import dev.millpond.engine.dispatch.store.DispatchStore;
import dev.millpond.engine.lifecycle.store.PgArray;
import dev.millpond.engine.query.DeadLetterFilter;
import dev.millpond.engine.query.DeadLetterView;
import dev.millpond.engine.query.Replacement;
import dev.millpond.engine.submit.JobJson;
import dev.millpond.engine.webhook.store.WebhookStore;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Gives dead jobs a new life (rule R13): many in one transaction, or one as an edited copy. Who
 * changes or deletes the dead state row has the job. The caller owns the transaction. Stateless.
 */
public final class RedriveStore {
  /** The type of the error that names the job which replaced a dead one. */
  public static final String REPLACED = "replaced";

  private static final int BATCH_MAX = Batch.JOBS_MAX;

  /** Locked in the order of the ids, as everywhere. */
  private static final String REVIVE =
      """
      UPDATE millpond.job_state
      SET lease_token = lease_token + 1, attempt = 1, phase = 'runnable', crashes = 0,
          losses = 0, alone_in = NULL
      WHERE phase = 'dead' AND job_id = ANY (ARRAY (
          SELECT job_id FROM millpond.job_state
          WHERE job_id = ANY (?::uuid[]) AND phase = 'dead' ORDER BY job_id FOR UPDATE))
      RETURNING job_id, queue, class, kind, lease_token
      """;

  private static final String FORGET =
      "DELETE FROM millpond.dead_letter WHERE job_id = ANY (?::uuid[])";

  private static final String TAKE =
      """
      DELETE FROM millpond.job_state WHERE job_id = ? AND phase = 'dead'
      RETURNING queue, class, kind, lease_token, attempt
      """;

  private static final String JOB = "SELECT payload, options FROM millpond.job WHERE id = ?";

  private static final String COPY =
      """
      INSERT INTO millpond.job (id, queue, class, kind, payload, options) VALUES (?, ?, ?, ?, ?, ?)
      """;

  private static final String END =
      """
      INSERT INTO millpond.job_outcome (job_id, outcome, attempt, lease_token)
      VALUES (?, 'cancelled', ?, ?)
      """;

  private static final String ATTEMPT =
      """
      INSERT INTO millpond.job_attempt
             (job_id, lease_token, attempt, ended, error_type, error_message)
      VALUES (?, ?, ?, 'cancelled', ?, ?)
      """;

  private static final String FIND =
      """
      SELECT queue, class, kind, attempts, reason, error_type, error_message, error_stack, dead_at
      FROM millpond.dead_letter WHERE job_id = ?
      """;

  private RedriveStore() {}

  /**
   * What a copy differs in.
   *
   * @param newId of the copy
   */
  public record Edit(UUID newId, @Nullable String payload, @Nullable Integer maxAttempts) {}

  private record Sort(Lane lane, String kind) {}

  /**
   * Like {@link #redrive}, for all that match a filter; written down with it and their number.
   *
   * @param ids the next ones of them
   */
  public static int redriveAll(
      Connection tx, DeadLetterFilter filter, List<UUID> ids, BatchMaker maker)
      throws SQLException {
    int redriven = redrive(tx, ids, maker);
    if (redriven > 0) {
      AuditStore.write(
          tx, "dead-letters.redrive", filter.text(), null, "{\"redriven\":" + redriven + "}");
    }
    return redriven;
  }

  /** Makes those of the jobs runnable that are dead; how many. */
  public static int redrive(Connection tx, List<UUID> ids, BatchMaker maker) throws SQLException {
    Map<Sort, List<Member>> members = new HashMap<>();
    List<UUID> revived = new ArrayList<>(ids.size());
    try (PreparedStatement statement = tx.prepareStatement(REVIVE)) {
      statement.setObject(1, PgArray.uuids(ids.toArray(UUID[]::new)));
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          UUID id = rows.getObject(1, UUID.class);
          Sort sort = new Sort(new Lane(rows.getString(2), rows.getString(3)), rows.getString(4));
          members.computeIfAbsent(sort, s -> new ArrayList<>()).add(new Member(id, rows.getInt(5)));
          revived.add(id);
        }
      }
    }
    if (revived.isEmpty()) {
      return 0;
    }
    try (PreparedStatement statement = tx.prepareStatement(FORGET)) {
      statement.setObject(1, PgArray.uuids(revived.toArray(UUID[]::new)));
      statement.executeUpdate();
    }
    List<Batch> batches = new ArrayList<>();
    DepthMoves depth = new DepthMoves();
    members.forEach((sort, all) -> {
      for (int from = 0; from < all.size(); from += BATCH_MAX) {
        List<Member> part = all.subList(from, Math.min(all.size(), from + BATCH_MAX));
        batches.add(maker.make(sort.lane(), sort.kind(), part));
      }
      all.forEach(member -> depth.comes(sort.lane(), member.jobId()));
    });
    DispatchStore.insert(tx, batches, false);
    DepthStore.add(tx, depth);
    return revived.size();
  }

  /** Replaces a dead job by an edited copy. */
  public static Replacement replace(Connection tx, UUID id, Edit edit, BatchMaker maker)
      throws SQLException {
    HolderStore.Job job = HolderStore.job(tx, id);
    if (job == null) {
      return new Replacement.NotFound();
    }
    Lane lane;
    int token;
    int attempt;
    try (PreparedStatement statement = tx.prepareStatement(TAKE)) {
      statement.setObject(1, id);
      try (ResultSet row = statement.executeQuery()) {
        if (!row.next()) {
          return new Replacement.WrongState(current(tx, id));
        }
        lane = new Lane(row.getString(1), row.getString(2));
        token = row.getInt(4);
        attempt = row.getInt(5);
      }
    }
    try (PreparedStatement statement = tx.prepareStatement(FORGET)) {
      statement.setObject(1, PgArray.uuids(new UUID[] {id}));
      statement.executeUpdate();
    }
    end(tx, id, attempt, token, edit.newId());
    copy(tx, id, lane, job.kind(), edit);
    Member member = new Member(edit.newId(), 1);
    DispatchStore.insert(tx, List.of(maker.make(lane, job.kind(), List.of(member))), false);
    DepthStore.add(tx, new DepthMoves().comes(lane, edit.newId()));
    return new Replacement.Replaced(edit.newId());
  }

  private static void end(Connection tx, UUID id, int attempt, int token, UUID newId)
      throws SQLException {
    try (PreparedStatement statement = tx.prepareStatement(END)) {
      statement.setObject(1, id);
      statement.setInt(2, attempt);
      statement.setInt(3, token);
      statement.executeUpdate();
    }
    try (PreparedStatement statement = tx.prepareStatement(ATTEMPT)) {
      statement.setObject(1, id);
      statement.setInt(2, token);
      statement.setInt(3, attempt);
      statement.setString(4, REPLACED);
      statement.setString(5, "replaced by job " + newId);
      statement.executeUpdate();
    }
    WebhookStore.call(tx, List.of(id));
  }

  private static void copy(Connection tx, UUID id, Lane lane, String kind, Edit edit)
      throws SQLException {
    String payload;
    JobOptions options;
    String trace;
    try (PreparedStatement statement = tx.prepareStatement(JOB)) {
      statement.setObject(1, id);
      try (ResultSet row = statement.executeQuery()) {
        if (!row.next()) {
          throw new SQLException("job " + id + " vanished", "40001");
        }
        payload = row.getString(1);
        options = JobJson.options(row.getString(2)).withExpiry(null);
        trace = JobJson.trace(row.getString(2));
      }
    }
    if (edit.maxAttempts() != null) {
      options = options.withMaxAttempts(edit.maxAttempts());
    }
    try (PreparedStatement statement = tx.prepareStatement(COPY)) {
      int i = 0;
      statement.setObject(++i, edit.newId());
      statement.setString(++i, lane.queue());
      statement.setString(++i, lane.priorityClass());
      statement.setString(++i, kind);
      statement.setString(++i, edit.payload() == null ? payload : edit.payload());
      String stored = JobJson.options(options);
      statement.setString(++i, trace == null ? stored : JobJson.withTrace(stored, trace));
      statement.executeUpdate();
    }
  }

  private static JobState current(Connection tx, UUID id) throws SQLException {
    JobState ended = HolderStore.ended(tx, id);
    if (ended != null) {
      return ended;
    }
    HolderStore.State state = HolderStore.lock(tx, id);
    return state == null ? JobState.RUNNABLE : state.phase();
  }

  /** Reads one dead letter. */
  public static Optional<DeadLetterView> find(Connection tx, UUID id) throws SQLException {
    try (PreparedStatement statement = tx.prepareStatement(FIND)) {
      statement.setObject(1, id);
      try (ResultSet row = statement.executeQuery()) {
        if (!row.next()) {
          return Optional.empty();
        }
        return Optional.of(
            new DeadLetterView(
                id,
                row.getString(1),
                row.getString(2),
                row.getString(3),
                row.getInt(4),
                row.getString(5),
                new JobError(row.getString(6), row.getString(7), row.getString(8)),
                row.getObject(9, OffsetDateTime.class).toInstant()));
      }
    }
  }
}
