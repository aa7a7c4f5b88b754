package dev.millpond.engine.maintenance.store;

import dev.millpond.engine.dispatch.Lane;
import dev.millpond.engine.dispatch.store.DepthMoves;
import dev.millpond.engine.dispatch.store.DepthStore;
import dev.millpond.engine.lifecycle.store.JobTables;
import dev.millpond.engine.lifecycle.store.PgArray;
import dev.millpond.engine.maintenance.store.RescueStore.Lost;
import dev.millpond.engine.maintenance.store.RescueStore.Taken;
import dev.millpond.engine.webhook.store.WebhookStore;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;

/**
 * What the reaper reads and writes of sessions and their holders. The caller owns the transaction.
 */
public final class ReaperStore {
  private static final String LOOK =
      """
      SELECT count(*) FILTER (WHERE NOT fenced AND beat_at >= now() - lease),
             count(*) FILTER (WHERE NOT fenced AND beat_at < now() - lease),
             count(*) FILTER (WHERE fenced),
             (SELECT true FROM millpond.job_state WHERE phase = 'running'
              ORDER BY session, job_id LIMIT 1),
             clock_timestamp() - pg_postmaster_start_time() < ? * interval '1 millisecond'
      FROM millpond.worker
      """;

  private static final String FENCE =
      """
      UPDATE millpond.worker SET fenced = true
      WHERE NOT fenced AND beat_at < now() - lease
      RETURNING session
      """;

  private static final String CLAIMED_BY_LOST =
      """
      SELECT d.id, (SELECT coalesce(w.process, w.session) FROM millpond.worker w
                    WHERE w.session = d.claimed_by AND w.fenced
                      AND NOT EXISTS (SELECT FROM millpond.worker a
                                      WHERE a.process = w.process AND NOT a.fenced))
      FROM millpond.dispatch d
      WHERE d.claimed_by IS NOT NULL
        AND (d.claimed_at < now() - ? * interval '1 millisecond'
             OR NOT EXISTS (SELECT FROM millpond.worker w
                            WHERE w.session = d.claimed_by AND NOT w.fenced))
      ORDER BY d.id LIMIT ? FOR UPDATE OF d SKIP LOCKED
      """;

  /**
   * In the order of the index on running jobs: in that of the ids the planner may walk past all
   * that is scheduled.
   *
   * <p>One that was lost alone before, and now again, waits until it is known what became of its
   * process, or that was silent for two leases: the verdict depends on it.
   */
  private static final String RUNNING_LOST =
      """
      SELECT s.job_id, s.queue, s.class, s.kind, s.lease_token, s.cancel_requested, s.alone,
             (SELECT coalesce(w.process, w.session) FROM millpond.worker w
              WHERE w.session = s.session AND w.fenced
                AND NOT EXISTS (SELECT FROM millpond.worker a
                                WHERE a.process = w.process AND NOT a.fenced))
      FROM millpond.job_state s
      WHERE s.phase = 'running'
        AND (s.deadline < now() - ? * interval '1 millisecond'
             OR s.seen_at < now() - coalesce((SELECT v.limit_millis
                                              FROM unnest(?::text[], ?::int8[]) AS v (class, limit_millis)
                                              WHERE v.class = s.class), ?) * interval '1 millisecond'
             OR NOT EXISTS (SELECT FROM millpond.worker w
                            WHERE w.session = s.session AND NOT w.fenced)
                AND NOT (s.alone AND (s.crashes > 0 OR s.alone_in IS NOT NULL)
                         AND EXISTS (SELECT FROM millpond.worker w
                                     WHERE w.session = s.session AND NOT w.died
                                       AND w.beat_at >= now() - 2 * w.lease)))
      ORDER BY s.session, s.job_id LIMIT ? FOR UPDATE OF s SKIP LOCKED
      """;

  private static final String RESCUED_ATTEMPTS =
      """
      INSERT INTO millpond.job_attempt
             (job_id, lease_token, attempt, worker_id, started_at, ended, error_type, error_message)
      SELECT s.job_id, s.lease_token, s.attempt, s.session, s.started_at,
             CASE WHEN s.cancel_requested THEN 'cancelled' ELSE 'rescued' END,
             'dev.millpond.WorkerLost', 'its worker ' || s.session || ' was lost or silent'
      FROM millpond.job_state s WHERE s.job_id = ANY (?::uuid[])
      ON CONFLICT DO NOTHING
      """;

  private static final String CANCELLED =
      """
      INSERT INTO millpond.job_outcome
             (job_id, outcome, attempt, lease_token, worker_id, started_at)
      SELECT job_id, 'cancelled', attempt, lease_token, session, started_at
      FROM millpond.job_state WHERE job_id = ANY (?::uuid[])
      ON CONFLICT (job_id) DO NOTHING
      """;

  private static final String DELETE_STATES =
      "DELETE FROM millpond.job_state WHERE job_id = ANY (?::uuid[])";

  private static final String FORGET =
      """
      DELETE FROM millpond.worker w
      WHERE w.fenced AND w.beat_at < now() - 10 * w.lease
        AND NOT EXISTS (SELECT FROM millpond.job_state s
                        WHERE s.session = w.session AND s.phase = 'running')
      """;

  private ReaperStore() {}

  /**
   * What a look finds.
   *
   * @param live sessions that are not fenced
   * @param silent sessions that are to be
   * @param fenced sessions that are
   * @param running whether there are running jobs
   * @param young whether the server has started within the time
   */
  public record Sessions(int live, int silent, int fenced, boolean running, boolean young) {}

  /**
   * Looks, in one statement.
   *
   * @param time in which a server counts as young
   */
  public static Sessions look(Connection connection, Duration time) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(LOOK)) {
      statement.setLong(1, time.toMillis());
      try (ResultSet row = statement.executeQuery()) {
        row.next();
        return new Sessions(
            row.getInt(1), row.getInt(2), row.getInt(3), row.getBoolean(4), row.getBoolean(5));
      }
    }
  }

  /** Fences silent sessions: their beats find no row from now on. */
  public static Set<UUID> fence(Connection tx) throws SQLException {
    Set<UUID> fenced = new HashSet<>();
    try (Statement statement = tx.createStatement();
        ResultSet rows = statement.executeQuery(FENCE)) {
      while (rows.next()) {
        fenced.add(rows.getObject(1, UUID.class));
      }
    }
    return fenced;
  }

  /** Locks batches claimed by sessions that are lost, or for longer than a batch can live. */
  public static List<Taken> claimedByLost(Connection tx, Duration longest, int limit)
      throws SQLException {
    List<Taken> taken = new ArrayList<>();
    try (PreparedStatement statement = tx.prepareStatement(CLAIMED_BY_LOST)) {
      statement.setLong(1, longest.toMillis());
      statement.setInt(2, limit);
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          taken.add(new Taken(rows.getObject(1, UUID.class), rows.getObject(2, UUID.class)));
        }
      }
    }
    return taken;
  }

  /** Running jobs of lost sessions, past their deadline, or not seen for too long; locked. */
  public record LostRunning(List<Lost> toRescue, List<Lost> toCancel) {}

  /**
   * Locks running jobs that nobody refreshes, and holds the tables that tell what became of them.
   *
   * @param deadlineGrace after a deadline, in which the worker itself may still end the attempt
   * @param visibility how long a class's jobs may go unseen
   * @param otherwise the same for classes not named
   */
  public static LostRunning running(
      Connection tx,
      Duration deadlineGrace,
      Map<String, Duration> visibility,
      Duration otherwise,
      int limit)
      throws SQLException {
    List<Map.Entry<String, Duration>> limits = List.copyOf(visibility.entrySet());
    List<Lost> rescue = new ArrayList<>();
    List<Lost> cancel = new ArrayList<>();
    try (PreparedStatement statement = tx.prepareStatement(RUNNING_LOST)) {
      int i = 0;
      statement.setLong(++i, deadlineGrace.toMillis());
      statement.setObject(++i, PgArray.texts(limits, Map.Entry::getKey));
      statement.setObject(++i, PgArray.longs(limits, l -> l.getValue().toMillis()));
      statement.setLong(++i, otherwise.toMillis());
      statement.setInt(++i, limit);
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          Lost lost =
              new Lost(
                  rows.getObject(1, UUID.class),
                  new Lane(rows.getString(2), rows.getString(3)),
                  rows.getString(4),
                  rows.getInt(5),
                  rows.getObject(8, UUID.class),
                  rows.getBoolean(7));
          (rows.getBoolean(6) ? cancel : rescue).add(lost);
        }
      }
    }
    if (!rescue.isEmpty() || !cancel.isEmpty()) {
      JobTables.hold(tx);
    }
    return new LostRunning(rescue, cancel);
  }

  /** Records the attempts that are taken from their workers. */
  public static void recordAttempts(Connection tx, List<Lost> lost) throws SQLException {
    update(tx, RESCUED_ATTEMPTS, lost);
  }

  /** Ends jobs whose cancellation was asked for. */
  public static void cancel(Connection tx, List<Lost> lost) throws SQLException {
    update(tx, CANCELLED, lost);
    WebhookStore.call(tx, lost.stream().map(Lost::jobId).toList());
    update(tx, DELETE_STATES, lost);
    DepthMoves depth = new DepthMoves();
    lost.forEach(job -> depth.leaves(job.lane(), job.jobId()));
    DepthStore.add(tx, depth);
  }

  private static void update(Connection tx, String sql, List<Lost> lost) throws SQLException {
    if (lost.isEmpty()) {
      return;
    }
    try (PreparedStatement statement = tx.prepareStatement(sql)) {
      statement.setObject(1, PgArray.uuids(lost, Lost::jobId));
      statement.executeUpdate();
    }
  }

  /** Forgets fenced sessions that have nothing left. */
  public static int forget(Connection tx) throws SQLException {
    try (Statement statement = tx.createStatement()) {
      return statement.executeUpdate(FORGET);
    }
  }
}
