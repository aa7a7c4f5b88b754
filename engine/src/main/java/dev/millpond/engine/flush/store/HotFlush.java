package dev.millpond.engine.flush.store;

import dev.millpond.engine.dispatch.Batch;
import dev.millpond.engine.dispatch.Lane;
import dev.millpond.engine.dispatch.store.DepthStore;
import dev.millpond.engine.dispatch.store.DepthStore.Change;
import dev.millpond.engine.flush.NewJob;
import dev.millpond.engine.flush.Portion;
import dev.millpond.engine.flush.Portion.End;
import dev.millpond.engine.flush.Portion.Success;
import dev.millpond.engine.flush.Routed;
import dev.millpond.engine.lifecycle.store.Pg;
import dev.millpond.engine.lifecycle.store.PgArray;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;

/**
 * The hot lane's flush: one multi-statement string, one round trip, one implicit transaction. Parts
 * without rows are left out.
 *
 * <p>No part returns text: a variable-length RETURNING makes the driver send Sync in the middle
 * from the second run on, and one flush would become several commits ({@code HotFlushIT} asserts
 * one).
 */
public final class HotFlush {
  private static final String DELETED =
      """
      DELETE FROM millpond.dispatch
      WHERE id = ANY (?::uuid[]) AND (claimed_by IS NULL OR claimed_by = ?) RETURNING id
      """;

  private static final String LOCKED =
      """
      SELECT id FROM millpond.dispatch
      WHERE id = ANY (?::uuid[]) AND (claimed_by IS NULL OR claimed_by = ?)
      ORDER BY id FOR KEY SHARE
      """;

  /**
   * A plain flush counts on all of its gates; it fails where that is not so. So its outcomes need
   * no join with them, and the depth is known beforehand.
   */
  private static final String ALL_GATES =
      """
      WITH g AS (%s)
      SELECT 1 / (count(*) = ?)::int FROM g
      """;

  /**
   * It counts on no job being at a later token as well. Asked here, not with the gates: a statement
   * that waits for a gate would not see what was committed meanwhile (rule R1).
   */
  private static final String OUTCOMES =
      """
      INSERT INTO millpond.job_outcome
             (job_id, outcome, attempt, lease_token, worker_id, started_at, result)
      SELECT unnest(?::uuid[]), 'succeeded', 1,
             1 / (NOT EXISTS (SELECT FROM millpond.job_state
                              WHERE job_id = ANY (?::uuid[]) AND lease_token <> 1))::int,
             ?, unnest(?::timestamptz[]), unnest(?::text[])
      """;

  /** The gates of a careful flush are held before its tokens are read, for the same reason. */
  private static final String HELD =
      """
      SELECT id FROM millpond.dispatch WHERE id = ANY (?::uuid[]) ORDER BY id FOR UPDATE
      """;

  /**
   * A careful flush: outcomes behind a missing gate or fence are left out, those that exist already
   * are passed over; what came through leaves the depth.
   *
   * <p>{@code IS TRUE} keeps the gates a hashed subplan. Without it they are joined, and as the hot
   * connections have no hash join, that compares each outcome with each gate: four times the time.
   */
  private static final String GATED_OUTCOMES =
      """
      WITH g AS (%s)
      , o AS (INSERT INTO millpond.job_outcome
                     (job_id, outcome, attempt, lease_token, worker_id, started_at, result)
              SELECT u.id, 'succeeded', 1, 1, ?, u.started, u.result
              FROM unnest(?::uuid[], ?::uuid[], ?::timestamptz[], ?::text[])
                   AS u (id, batch, started, result)
              WHERE (u.batch IN (SELECT id FROM g)) IS TRUE
                AND u.id NOT IN (SELECT s.job_id FROM millpond.job_state s
                                 WHERE s.job_id = ANY (?::uuid[]) AND s.lease_token <> 1)
              ON CONFLICT (job_id) DO NOTHING
              RETURNING job_id)
      INSERT INTO millpond.queue_depth (queue, class, delta, departed, bytes)
      SELECT u.queue, u.class, -count(*), count(*), -sum(u.bytes)
      FROM unnest(?::uuid[], ?::text[], ?::text[], ?::int4[]) AS u (id, queue, class, bytes)
      WHERE (u.id IN (SELECT job_id FROM o)) IS TRUE GROUP BY u.queue, u.class
      """;

  private static final String MINE =
      """
      SELECT job_id FROM millpond.job_outcome
      WHERE job_id = ANY (?::uuid[]) AND worker_id = ? AND lease_token = 1
      """;

  private final JobRows jobRows;
  private final List<Portion> portions;
  private final UUID session;

  /**
   * @param jobs new jobs of all submits
   * @param batches made of those that run now
   * @param portions plain ones only
   * @param session that claims batches here
   */
  public HotFlush(List<NewJob> jobs, List<Routed> batches, List<Portion> portions, UUID session) {
    this.jobRows = new JobRows(jobs, batches, session);
    this.portions = portions;
    this.session = session;
  }

  private record Done(Batch batch, Success success) {}

  /**
   * Writes everything in one transaction.
   *
   * @param careful whether outcomes that are not ours any more are passed over; otherwise all of
   *     them come through, or the flush fails as {@link Pg.Fault#UNIQUE} and nothing is written
   */
  public void run(WriterConnection connection, boolean careful) throws SQLException {
    List<String> rows = jobRows.statements();
    List<Done> last = done(true);
    List<Done> part = done(false);
    List<Change> depth = depth(careful);

    boolean ends = !last.isEmpty() || !part.isEmpty();
    boolean plain = ends && !careful;
    boolean held = ends && careful;

    StringBuilder sql = new StringBuilder(2048).append(WriterConnection.MARKER);
    rows.forEach(row -> append(sql, true, row));
    append(sql, held, HELD);
    String gated = careful ? GATED_OUTCOMES : ALL_GATES;
    append(sql, !last.isEmpty(), gated.formatted(DELETED));
    append(sql, !part.isEmpty(), gated.formatted(LOCKED));
    append(sql, plain, OUTCOMES);
    append(sql, !depth.isEmpty(), DepthStore.ADD);

    PreparedStatement statement = connection.prepare(sql.toString());
    int i = 0;
    statement.setObject(++i, connection.writer());
    statement.setLong(++i, connection.seq());
    i = jobRows.bind(statement, i);
    if (held) {
      List<Done> all = new ArrayList<>(last);
      all.addAll(part);
      statement.setObject(++i, PgArray.uuids(gates(all)));
    }
    for (List<Done> done : List.of(last, part)) {
      if (!done.isEmpty()) {
        i = careful ? bindGated(statement, i, done) : bindGates(statement, i, done);
      }
    }
    if (plain) {
      i = bindOutcomes(statement, i, last, part);
    }
    if (!depth.isEmpty()) {
      DepthStore.bind(statement, i, depth);
    }
    statement.execute();
  }

  /** Outcomes it asks for. */
  public int asked() {
    int count = 0;
    for (Portion portion : portions) {
      count += portion.ends().size();
    }
    return count;
  }

  /**
   * Jobs whose outcome is not this session's: read after the commit of a careful flush, or of one
   * whose answer was lost.
   */
  public Set<UUID> stale(WriterConnection connection) throws SQLException {
    List<UUID> asked = new ArrayList<>();
    for (Portion portion : portions) {
      portion.ends().forEach(end -> asked.add(end.jobId()));
    }
    Set<UUID> stale = new HashSet<>(asked);
    PreparedStatement statement = connection.prepare(MINE);
    statement.setObject(1, PgArray.uuids(asked.toArray(UUID[]::new)));
    statement.setObject(2, session);
    try (ResultSet rows = statement.executeQuery()) {
      while (rows.next()) {
        stale.remove(rows.getObject(1, UUID.class));
      }
    }
    return stale;
  }

  private static void append(StringBuilder sql, boolean present, String part) {
    if (present) {
      sql.append(";\n").append(part);
    }
  }

  private List<Done> done(boolean last) {
    List<Done> done = new ArrayList<>();
    for (Portion portion : portions) {
      Batch batch = portion.batch();
      if (batch != null && portion.last() == last) {
        portion.ends().forEach(end -> done.add(new Done(batch, (Success) end)));
      }
    }
    return done;
  }

  /** What is known beforehand: a careful flush counts its outcomes itself. */
  private List<Change> depth(boolean careful) {
    Map<Lane, Change> depth = jobRows.comes();
    if (!careful) {
      for (Portion portion : portions) {
        int jobs = portion.ends().size();
        long bytes = 0;
        for (End end : portion.ends()) {
          bytes += end.payloadBytes();
        }
        depth.merge(portion.lane(), new Change(portion.lane(), -jobs, jobs, -bytes), Change::plus);
      }
    }
    depth.values().removeIf(Change::changesNothing);
    return List.copyOf(depth.values());
  }

  private int bindGates(PreparedStatement statement, int at, List<Done> done) throws SQLException {
    int i = at;
    UUID[] gates = gates(done);
    statement.setObject(++i, PgArray.uuids(gates));
    statement.setObject(++i, session);
    statement.setInt(++i, gates.length);
    return i;
  }

  private int bindOutcomes(PreparedStatement statement, int at, List<Done> last, List<Done> part)
      throws SQLException {
    int i = at;
    List<Success> ends = new ArrayList<>(last.size() + part.size());
    last.forEach(done -> ends.add(done.success()));
    part.forEach(done -> ends.add(done.success()));
    PgArray ids = PgArray.uuids(ends, Success::jobId);
    statement.setObject(++i, ids);
    statement.setObject(++i, ids);
    statement.setObject(++i, session);
    statement.setObject(++i, PgArray.instants(ends, Success::startedMicros));
    statement.setObject(++i, PgArray.texts(ends, Success::result));
    return i;
  }

  private int bindGated(PreparedStatement statement, int at, List<Done> done) throws SQLException {
    int i = at;
    statement.setObject(++i, PgArray.uuids(gates(done)));
    statement.setObject(++i, session);
    statement.setObject(++i, session);
    PgArray ids = PgArray.uuids(done, d -> d.success().jobId());
    statement.setObject(++i, ids);
    statement.setObject(++i, PgArray.uuids(done, d -> d.batch().id()));
    statement.setObject(++i, PgArray.instants(done, d -> d.success().startedMicros()));
    statement.setObject(++i, PgArray.texts(done, d -> d.success().result()));
    statement.setObject(++i, ids);
    statement.setObject(++i, ids);
    statement.setObject(++i, PgArray.texts(done, d -> d.batch().lane().queue()));
    statement.setObject(++i, PgArray.texts(done, d -> d.batch().lane().priorityClass()));
    statement.setObject(++i, PgArray.ints(done, d -> d.success().payloadBytes()));
    return i;
  }

  private static UUID[] gates(List<Done> done) {
    return done.stream().map(d -> d.batch().id()).distinct().toArray(UUID[]::new);
  }
}
