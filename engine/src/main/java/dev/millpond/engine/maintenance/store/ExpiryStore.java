package dev.millpond.engine.maintenance.store;

import dev.millpond.engine.dispatch.Lane;
import dev.millpond.engine.dispatch.store.DepthMoves;
import dev.millpond.engine.dispatch.store.DepthStore;
import dev.millpond.engine.flush.Expired;
import dev.millpond.engine.flush.store.EndedJobs;
import dev.millpond.engine.lifecycle.store.JobTables;
import dev.millpond.engine.lifecycle.store.PgArray;
import dev.millpond.engine.webhook.store.WebhookStore;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What the expirer reads and writes. It waits for nobody's lock: what somebody has in hand is left
 * to them. The caller owns the transaction. Stateless.
 */
public final class ExpiryStore {
  private static final String DUE =
      """
      SELECT job_id FROM millpond.job_expiry
      WHERE look_at <= now() ORDER BY look_at LIMIT ? FOR UPDATE SKIP LOCKED
      """;

  private static final String LOCK_STATES =
      """
      SELECT job_id, queue, class, kind, phase, lease_token, attempt FROM millpond.job_state
      WHERE job_id = ANY (?::uuid[]) ORDER BY job_id FOR UPDATE SKIP LOCKED
      """;

  private static final String STATES =
      "SELECT job_id FROM millpond.job_state WHERE job_id = ANY (?::uuid[])";

  private static final String JOBS =
      """
      SELECT id, queue, class, kind FROM millpond.job
      WHERE id = ANY (?::uuid[]) AND id BETWEEN ? AND ?
      """;

  private static final String CANCEL =
      """
      INSERT INTO millpond.job_outcome (job_id, outcome, attempt, lease_token)
      SELECT u.id, 'cancelled', u.attempt, u.token
      FROM unnest(?::uuid[], ?::int4[], ?::int4[]) AS u (id, attempt, token)
      ON CONFLICT (job_id) DO NOTHING
      RETURNING job_id
      """;

  private static final String ATTEMPTS =
      """
      INSERT INTO millpond.job_attempt
             (job_id, lease_token, attempt, ended, error_type, error_message)
      SELECT u.id, u.token, u.attempt, 'cancelled', ?, 'was not to start after '
             || to_char(e.expires_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
      FROM unnest(?::uuid[], ?::int4[], ?::int4[]) AS u (id, attempt, token)
      JOIN millpond.job_expiry e ON e.job_id = u.id
      ON CONFLICT (job_id, lease_token) DO NOTHING
      """;

  private static final String DELETE_STATES =
      "DELETE FROM millpond.job_state WHERE job_id = ANY (?::uuid[])";

  private static final String DELETE =
      "DELETE FROM millpond.job_expiry WHERE job_id = ANY (?::uuid[])";

  private static final String PUT_OFF =
      """
      UPDATE millpond.job_expiry SET look_at = now() + ? * interval '1 millisecond'
      WHERE job_id = ANY (?::uuid[])
      """;

  private static final String PAGE =
      "SELECT job_id FROM millpond.job_expiry WHERE job_id > ? ORDER BY job_id LIMIT ?";

  private static final String SWEEP =
      """
      DELETE FROM millpond.job_expiry e
      WHERE e.job_id = ANY (?::uuid[])
        AND (EXISTS (SELECT FROM millpond.job_outcome o WHERE o.job_id = e.job_id)
             OR NOT EXISTS (SELECT FROM millpond.job j WHERE j.id = e.job_id))
      """;

  private ExpiryStore() {}

  /** A job as far as its end needs it; its state row, if it has one, is locked. */
  public record Expiring(
      UUID jobId, Lane lane, String kind, @Nullable String phase, int token, int attempt) {}

  /**
   * What became of jobs that were due.
   *
   * @param due how many there were
   * @param left how many a worker may have
   */
  public record Page(int due, List<Expiring> ended, int left) {}

  /**
   * Ends the next expired jobs that nobody has taken (rule R10).
   *
   * @param limit of jobs
   * @param again when those that a worker may have are looked at again
   */
  public static Page expire(Connection tx, int limit, Duration again) throws SQLException {
    List<UUID> due = due(tx, limit);
    if (due.isEmpty()) {
      return new Page(0, List.of(), 0);
    }
    JobTables.hold(tx);
    List<Expiring> free = lock(tx, due);
    Set<UUID> waiting = WaitingRows.lock(tx, free.stream().filter(ExpiryStore::runnable).toList());
    // A dispatch row that is locked by now may have been made for a state row that came meanwhile.
    Set<UUID> moved =
        withState(tx, free.stream().filter(j -> j.phase() == null).map(Expiring::jobId).toList());
    Set<UUID> over = new HashSet<>(EndedJobs.among(tx, due));
    List<Expiring> toEnd = new ArrayList<>();
    for (Expiring job : free) {
      boolean held = waiting.contains(job.jobId()) && !moved.contains(job.jobId());
      if (!over.contains(job.jobId()) && (runnable(job) ? held : rests(job))) {
        toEnd.add(job);
      } else if ("dead".equals(job.phase())) {
        over.add(job.jobId()); // in another life its worker does not start it
      }
    }
    Set<UUID> ended = end(tx, toEnd);
    toEnd.forEach(job -> over.add(job.jobId()));
    List<Expiring> done = toEnd.stream().filter(job -> ended.contains(job.jobId())).toList();
    DepthMoves depth = new DepthMoves();
    done.stream()
        .filter(ExpiryStore::runnable)
        .forEach(job -> depth.leaves(job.lane(), job.jobId()));
    DepthStore.add(tx, depth);
    delete(tx, over);
    List<UUID> left = due.stream().filter(id -> !over.contains(id)).toList();
    putOff(tx, left, again);
    return new Page(due.size(), done, left.size());
  }

  private static boolean runnable(Expiring job) {
    return job.phase() == null || job.phase().equals("runnable");
  }

  private static boolean rests(Expiring job) {
    return "scheduled".equals(job.phase()) || "waiting".equals(job.phase());
  }

  /** Locks the next jobs that are due for a look. */
  private static List<UUID> due(Connection tx, int limit) throws SQLException {
    try (PreparedStatement statement = tx.prepareStatement(DUE)) {
      statement.setInt(1, limit);
      return ids(statement);
    }
  }

  /**
   * Locks the state rows of jobs as far as they are free. Jobs whose state row somebody has are
   * left out; a job without one is at attempt and token 1.
   */
  private static List<Expiring> lock(Connection tx, List<UUID> ids) throws SQLException {
    Map<UUID, Expiring> found = new HashMap<>();
    try (PreparedStatement statement = tx.prepareStatement(LOCK_STATES)) {
      statement.setObject(1, PgArray.uuids(ids.toArray(UUID[]::new)));
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          UUID id = rows.getObject(1, UUID.class);
          found.put(
              id,
              new Expiring(
                  id,
                  new Lane(rows.getString(2), rows.getString(3)),
                  rows.getString(4),
                  rows.getString(5),
                  rows.getInt(6),
                  rows.getInt(7)));
        }
      }
    }
    Set<UUID> stateless = new HashSet<>(ids);
    stateless.removeAll(found.keySet());
    stateless.removeAll(withState(tx, stateless));
    readJobs(tx, stateless, found);
    return List.copyOf(found.values());
  }

  /** Those of the jobs that have a state row now, locked by somebody or not. */
  private static Set<UUID> withState(Connection tx, Collection<UUID> ids) throws SQLException {
    if (ids.isEmpty()) {
      return Set.of();
    }
    try (PreparedStatement statement = tx.prepareStatement(STATES)) {
      statement.setObject(1, PgArray.uuids(ids.toArray(UUID[]::new)));
      return new HashSet<>(ids(statement));
    }
  }

  private static void readJobs(Connection tx, Set<UUID> ids, Map<UUID, Expiring> into)
      throws SQLException {
    if (ids.isEmpty()) {
      return;
    }
    List<UUID> sorted = ids.stream().sorted(PgArray.UUID_ORDER).toList();
    try (PreparedStatement statement = tx.prepareStatement(JOBS)) {
      statement.setObject(1, PgArray.uuids(sorted.toArray(UUID[]::new)));
      statement.setObject(2, sorted.getFirst());
      statement.setObject(3, sorted.getLast());
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          UUID id = rows.getObject(1, UUID.class);
          Lane lane = new Lane(rows.getString(2), rows.getString(3));
          into.put(id, new Expiring(id, lane, rows.getString(4), null, 1, 1));
        }
      }
    }
  }

  /** Ends jobs whose holders are locked; those that came through, with their state rows gone. */
  private static Set<UUID> end(Connection tx, List<Expiring> jobs) throws SQLException {
    if (jobs.isEmpty()) {
      return Set.of();
    }
    Set<UUID> ended;
    try (PreparedStatement statement = tx.prepareStatement(CANCEL)) {
      bind(statement, 0, jobs);
      ended = new HashSet<>(ids(statement));
    }
    List<Expiring> won = jobs.stream().filter(job -> ended.contains(job.jobId())).toList();
    try (PreparedStatement statement = tx.prepareStatement(ATTEMPTS)) {
      statement.setString(1, Expired.ERROR_TYPE);
      bind(statement, 1, won);
      statement.executeUpdate();
    }
    update(tx, DELETE_STATES, ended);
    WebhookStore.call(tx, ended);
    return ended;
  }

  private static void bind(PreparedStatement statement, int at, List<Expiring> jobs)
      throws SQLException {
    int i = at;
    statement.setObject(++i, PgArray.uuids(jobs, Expiring::jobId));
    statement.setObject(++i, PgArray.ints(jobs, Expiring::attempt));
    statement.setObject(++i, PgArray.ints(jobs, Expiring::token));
  }

  /** Nothing more is to be done about these jobs. */
  private static void delete(Connection tx, Collection<UUID> ids) throws SQLException {
    update(tx, DELETE, ids);
  }

  /** A worker may have these jobs: they are looked at again later. */
  private static void putOff(Connection tx, Collection<UUID> ids, Duration by) throws SQLException {
    if (ids.isEmpty()) {
      return;
    }
    try (PreparedStatement statement = tx.prepareStatement(PUT_OFF)) {
      statement.setLong(1, by.toMillis());
      statement.setObject(2, PgArray.uuids(ids.toArray(UUID[]::new)));
      statement.executeUpdate();
    }
  }

  /** The next rows by job id. */
  public static List<UUID> page(Connection tx, UUID after, int limit) throws SQLException {
    try (PreparedStatement statement = tx.prepareStatement(PAGE)) {
      statement.setObject(1, after);
      statement.setInt(2, limit);
      return ids(statement);
    }
  }

  /** Removes those of the rows whose jobs have ended; how many. */
  public static int sweep(Connection tx, Collection<UUID> ids) throws SQLException {
    return update(tx, SWEEP, ids);
  }

  private static List<UUID> ids(PreparedStatement statement) throws SQLException {
    List<UUID> ids = new ArrayList<>();
    try (ResultSet rows = statement.executeQuery()) {
      while (rows.next()) {
        ids.add(rows.getObject(1, UUID.class));
      }
    }
    return ids;
  }

  private static int update(Connection tx, String sql, Collection<UUID> ids) throws SQLException {
    if (ids.isEmpty()) {
      return 0;
    }
    try (PreparedStatement statement = tx.prepareStatement(sql)) {
      statement.setObject(1, PgArray.uuids(ids.toArray(UUID[]::new)));
      return statement.executeUpdate();
    }
  }
}
