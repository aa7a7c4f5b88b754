package dev.millpond.engine.worker.store;

import dev.millpond.engine.fleet.DrainOrder;
import dev.millpond.engine.fleet.store.WorkerStore;
import dev.millpond.engine.lifecycle.store.PgArray;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Types;
import java.time.Duration;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** A session's own row, and the state rows of what it runs. The caller owns the transaction. */
public final class SessionStore {
  private static final String OPEN =
      """
      INSERT INTO millpond.worker
             (session, process, host, pid, kinds, slots, lease, shards,
              drain_asked_at, drain_by, drain_reason)
      VALUES (?, ?, ?, ?, ?::text[], ?, ? * interval '1 millisecond', ?::int4[], ?, ?, ?)
      """;

  private static final String BEAT =
      """
      UPDATE millpond.worker SET beat_at = now(), busy = ?, draining = ?, drained = ?, shards = ?::int4[]
      WHERE session = ? AND NOT fenced
      """;

  private static final String REFRESH =
      """
      UPDATE millpond.job_state s
      SET seen_at = now(), progress_percent = coalesce(u.percent::smallint, s.progress_percent),
          progress_message = coalesce(u.message, s.progress_message)
      FROM unnest(?::uuid[], ?::int4[], ?::int4[], ?::text[]) AS u (id, token, percent, message)
      WHERE s.job_id = u.id AND s.lease_token = u.token AND s.session = ? AND s.phase = 'running'
        AND s.job_id = ANY (ARRAY (SELECT l.job_id FROM millpond.job_state l
                                   WHERE l.job_id = ANY (?::uuid[]) FOR UPDATE SKIP LOCKED))
      RETURNING s.job_id, s.cancel_requested
      """;

  /** A row that somebody has locked is there all the same. */
  private static final String HELD =
      """
      SELECT s.job_id, s.cancel_requested
      FROM unnest(?::uuid[], ?::int4[]) AS u (id, token)
      JOIN millpond.job_state s ON s.job_id = u.id AND s.lease_token = u.token
      WHERE s.session = ? AND s.phase = 'running'
      """;

  private static final String DIED =
      "UPDATE millpond.worker SET died = true, fenced = true WHERE process = ? AND NOT died";

  private static final String ALONE =
      """
      UPDATE millpond.job_state s SET alone = true
      FROM unnest(?::uuid[], ?::int4[]) AS u (id, token)
      WHERE s.job_id = u.id AND s.lease_token = u.token AND s.session = ? AND s.phase = 'running'
      """;

  private static final String IN_COMPANY =
      """
      UPDATE millpond.job_state s SET alone = false
      FROM unnest(?::uuid[], ?::int4[]) AS u (id, token)
      WHERE s.job_id = u.id AND s.lease_token = u.token AND s.session = ? AND s.phase = 'running'
        AND s.job_id = ANY (ARRAY (SELECT l.job_id FROM millpond.job_state l
                                   WHERE l.job_id = ANY (?::uuid[]) FOR UPDATE SKIP LOCKED))
      """;

  private static final String NEWS =
      """
      SELECT name, NULL::uuid, NULL::timestamptz, NULL::text, NULL::text FROM millpond.queue
      UNION ALL
      SELECT NULL, job_id, NULL, NULL, NULL FROM millpond.cancel_notice
      WHERE requested_at > now() - ? * interval '1 millisecond'
      UNION ALL
      SELECT NULL, NULL, drain_asked_at, drain_by, drain_reason FROM millpond.worker
      WHERE session = ? AND drain_asked_at IS NOT NULL
      """;

  private SessionStore() {}

  /**
   * A new session.
   *
   * @param process the same for all sessions of a process
   * @param shards whose streams it reads
   * @param drain what the row of the session before said
   */
  public record Opening(
      UUID session,
      UUID process,
      String host,
      long pid,
      Collection<String> kinds,
      int slots,
      Duration lease,
      List<Integer> shards,
      @Nullable DrainOrder drain) {}

  /** Makes the row of a new session. */
  public static void open(Connection tx, Opening row) throws SQLException {
    try (PreparedStatement statement = tx.prepareStatement(OPEN)) {
      statement.setObject(1, row.session());
      statement.setObject(2, row.process());
      statement.setString(3, row.host());
      statement.setLong(4, row.pid());
      statement.setObject(5, PgArray.texts(List.copyOf(row.kinds()), k -> k));
      statement.setInt(6, row.slots());
      statement.setLong(7, row.lease().toMillis());
      statement.setObject(8, PgArray.ints(row.shards(), Integer::intValue));
      DrainOrder drain = row.drain();
      statement.setObject(
          9,
          drain == null ? null : drain.askedAt().atOffset(ZoneOffset.UTC),
          Types.TIMESTAMP_WITH_TIMEZONE);
      statement.setString(10, drain == null ? null : drain.by());
      statement.setString(11, drain == null ? null : drain.reason());
      statement.executeUpdate();
    }
  }

  /**
   * What a session says of itself.
   *
   * @param busy slots that are taken
   * @param draining whether it takes no jobs
   * @param drained whether it has none left either
   * @param shards whose streams it reads now
   */
  public record Standing(int busy, boolean draining, boolean drained, List<Integer> shards) {
    /** Of one that takes jobs, and has none yet. */
    public static final Standing TAKING = new Standing(0, false, false, List.of());

    /** Whether operators wait for this news. */
    public boolean drainsUnlike(Standing other) {
      return draining != other.draining || drained != other.drained;
    }
  }

  /** Says that the session lives; false when it has been fenced, so that it must stop. */
  public static boolean beat(Connection tx, UUID session, Standing standing) throws SQLException {
    try (PreparedStatement statement = tx.prepareStatement(BEAT)) {
      statement.setInt(1, standing.busy());
      statement.setBoolean(2, standing.draining());
      statement.setBoolean(3, standing.drained());
      statement.setObject(4, PgArray.ints(standing.shards(), Integer::intValue));
      statement.setObject(5, session);
      return statement.executeUpdate() == 1;
    }
  }

  /**
   * Says that a process is gone: its sessions are fenced, and what they held was lost with it.
   *
   * @return how many sessions that were not known to be
   */
  public static int died(Connection tx, UUID process) throws SQLException {
    try (PreparedStatement statement = tx.prepareStatement(DIED)) {
      statement.setObject(1, process);
      return statement.executeUpdate();
    }
  }

  /** A running job at its token. */
  public record Running(UUID jobId, int token) {}

  /** Notes that jobs of this session run with nothing else in its process. */
  public static void noteAlone(Connection tx, UUID session, List<Running> jobs)
      throws SQLException {
    List<Running> sorted = sorted(jobs);
    try (PreparedStatement statement = tx.prepareStatement(ALONE)) {
      setRunning(statement, session, sorted);
      statement.executeUpdate();
    }
  }

  /**
   * Takes that note back. Waits for nobody's lock: a handler's own transaction may hold one for
   * long.
   *
   * @return how many of the jobs run here and were passed over, since somebody has locked their
   *     rows
   */
  public static int noteInCompany(Connection tx, UUID session, List<Running> jobs)
      throws SQLException {
    List<Running> sorted = sorted(jobs);
    int noted;
    try (PreparedStatement statement = tx.prepareStatement(IN_COMPANY)) {
      setRunning(statement, session, sorted);
      statement.setObject(4, PgArray.uuids(sorted, Running::jobId));
      noted = statement.executeUpdate();
    }
    if (noted == jobs.size()) {
      return 0;
    }
    Map<UUID, Boolean> held = new HashMap<>();
    try (PreparedStatement statement = tx.prepareStatement(HELD)) {
      setRunning(statement, session, sorted);
      readHeld(statement, held);
    }
    return held.size() - noted;
  }

  private static List<Running> sorted(List<Running> jobs) {
    List<Running> sorted = new ArrayList<>(jobs);
    sorted.sort((a, b) -> PgArray.UUID_ORDER.compare(a.jobId(), b.jobId()));
    return sorted;
  }

  private static void setRunning(PreparedStatement statement, UUID session, List<Running> jobs)
      throws SQLException {
    statement.setObject(1, PgArray.uuids(jobs, Running::jobId));
    statement.setObject(2, PgArray.ints(jobs, Running::token));
    statement.setObject(3, session);
  }

  /** Forgets a session that has nothing left. */
  public static void close(Connection tx, UUID session) throws SQLException {
    try (PreparedStatement statement =
        tx.prepareStatement(
            """
            DELETE FROM millpond.worker w WHERE session = ?
              AND NOT EXISTS (SELECT FROM millpond.job_state s
                              WHERE s.session = w.session AND s.phase = 'running')
              AND NOT EXISTS (SELECT FROM millpond.dispatch d WHERE d.claimed_by = w.session)
            """)) {
      statement.setObject(1, session);
      statement.executeUpdate();
    }
  }

  /** What a running job has to say. */
  public record Sign(UUID jobId, int token, @Nullable Integer percent, @Nullable String message) {}

  /**
   * The jobs that are still held; true where a cancellation is asked for. Waits for nobody's lock:
   * a handler's own transaction may hold one for long, and the next beat must not be late.
   */
  public static Map<UUID, Boolean> refresh(Connection tx, UUID session, List<Sign> signs)
      throws SQLException {
    Map<UUID, Boolean> held = new HashMap<>();
    if (signs.isEmpty()) {
      return held;
    }
    try (PreparedStatement statement = tx.prepareStatement(REFRESH)) {
      statement.setObject(1, PgArray.uuids(signs, Sign::jobId));
      statement.setObject(2, PgArray.ints(signs, Sign::token));
      statement.setArray(3, tx.createArrayOf("int4", signs.stream().map(Sign::percent).toArray()));
      statement.setObject(4, PgArray.texts(signs, Sign::message));
      statement.setObject(5, session);
      statement.setObject(6, PgArray.uuids(signs, Sign::jobId));
      readHeld(statement, held);
    }
    List<Sign> others = signs.stream().filter(sign -> !held.containsKey(sign.jobId())).toList();
    if (!others.isEmpty()) {
      try (PreparedStatement statement = tx.prepareStatement(HELD)) {
        statement.setObject(1, PgArray.uuids(others, Sign::jobId));
        statement.setObject(2, PgArray.ints(others, Sign::token));
        statement.setObject(3, session);
        readHeld(statement, held);
      }
    }
    return held;
  }

  private static void readHeld(PreparedStatement statement, Map<UUID, Boolean> into)
      throws SQLException {
    try (ResultSet rows = statement.executeQuery()) {
      while (rows.next()) {
        into.put(rows.getObject(1, UUID.class), rows.getBoolean(2));
      }
    }
  }

  /**
   * What a worker is told.
   *
   * @param queues names of all queues
   * @param cancelled jobs that were cancelled lately while they may have been running
   * @param drain that this one is to take nothing more; null: it may
   */
  public record News(List<String> queues, Set<UUID> cancelled, @Nullable DrainOrder drain) {}

  /** Reads the news in one statement. */
  public static News news(Connection connection, UUID session, Duration within)
      throws SQLException {
    List<String> queues = new ArrayList<>();
    Set<UUID> cancelled = new HashSet<>();
    DrainOrder drain = null;
    try (PreparedStatement statement = connection.prepareStatement(NEWS)) {
      statement.setLong(1, within.toMillis());
      statement.setObject(2, session);
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          String queue = rows.getString(1);
          UUID job = rows.getObject(2, UUID.class);
          if (queue != null) {
            queues.add(queue);
          } else if (job != null) {
            cancelled.add(job);
          } else {
            drain = WorkerStore.drainOrder(rows, 3);
          }
        }
      }
    }
    return new News(queues, cancelled, drain);
  }

  /** Names of all queues. */
  public static List<String> queues(Connection tx) throws SQLException {
    List<String> queues = new ArrayList<>();
    try (Statement statement = tx.createStatement();
        ResultSet rows = statement.executeQuery("SELECT name FROM millpond.queue ORDER BY name")) {
      while (rows.next()) {
        queues.add(rows.getString(1));
      }
    }
    return queues;
  }
}
