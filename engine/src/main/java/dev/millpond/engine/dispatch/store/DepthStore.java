package dev.millpond.engine.dispatch.store;

import dev.millpond.engine.dispatch.Lane;
import dev.millpond.engine.lifecycle.store.PgArray;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/**
 * The depth of the queues: a sum of deltas, one row for each change, which the leader sums up once
 * a second. A sum says from which id on to read, so that nobody walks over rows that are gone, but
 * that a snapshot pinned by somebody else keeps. The caller owns the transaction. Stateless.
 *
 * <p>Ids are given before the commit. A change that is committed after a sum that is newer than its
 * id would not be read any more: a sum therefore reaches back to the one before it, a second, and
 * {@link #LATE_IDS} further, and once a minute all rows are summed.
 */
public final class DepthStore {
  /** Changes that may be given ids while an earlier one is not committed, beyond a second's. */
  private static final int LATE_IDS = 1_000;

  /** Adds to the depth of lanes; filled by {@link #bind}. */
  public static final String ADD =
      """
      INSERT INTO millpond.queue_depth (queue, class, delta, departed, bytes)
      SELECT unnest(?::text[]), unnest(?::text[]), unnest(?::int4[]), unnest(?::int4[]),
             unnest(?::int8[])
      """;

  private static final String SIZES =
      """
      SELECT id, octet_length(payload) FROM millpond.job
      WHERE id = ANY (?::uuid[]) AND id BETWEEN ? AND ?
      """;

  /** The first id that has to be read. */
  private static final String SINCE =
      """
      coalesce((SELECT since FROM millpond.queue_depth WHERE since IS NOT NULL
                ORDER BY id DESC LIMIT 1), 0)
      """;

  /** What a rate has come to meanwhile: no change was written, so no job has left. */
  public static final String RATE_NOW =
      """
      coalesce(sum(d.rate * exp(-least(greatest(
          extract(epoch FROM now() - d.summed_at)::float8 - 2, 0), 300) / 10)), 0)
      """;

  /**
   * What a capacity has come to meanwhile: nothing has left what was there then, or nothing was
   * there.
   */
  private static final String CAPACITY_NOW =
      """
      coalesce(sum(d.capacity) * exp(-least(greatest(
          extract(epoch FROM now() - max(d.summed_at))::float8 - 2, 0), 3000)
          / CASE WHEN sum(d.delta) FILTER (WHERE d.summed_at IS NOT NULL) > 0 THEN 10 ELSE 300 END), 0)
      """;

  /** Depth in jobs and in bytes, and capacity of a queue. Its one parameter is the queue's name. */
  public static final String OF_QUEUE =
      """
      SELECT coalesce(sum(d.delta), 0)::int8 AS depth, coalesce(sum(d.bytes), 0)::int8 AS bytes,
             coalesce(nullif(%s, 0), %s) AS capacity
      FROM millpond.queue_depth d WHERE d.id >= %s AND d.queue = ?
      """
          .formatted(CAPACITY_NOW, RATE_NOW, SINCE);

  private static final String ROWS =
      "SELECT count(*) FROM millpond.queue_depth WHERE id >= " + SINCE;

  /**
   * Held by whoever sums: of two at a time, the one that waits for the other's rows would write a
   * sum that does not reach back to the other's. Of the transaction, so no pooler breaks it.
   */
  private static final String LOCK = "SELECT pg_advisory_xact_lock(7164771031)";

  private static final String TRY_LOCK = "SELECT pg_try_advisory_xact_lock(7164771031)";

  private DepthStore() {}

  /**
   * A change of a lane's depth.
   *
   * @param delta jobs
   * @param departed jobs that have left it, which are in the delta as well
   * @param bytes of payloads
   */
  public record Change(Lane lane, int delta, int departed, long bytes) {
    /** Both together. */
    public Change plus(Change more) {
      return new Change(lane, delta + more.delta, departed + more.departed, bytes + more.bytes);
    }

    /** Whether it may be left out. */
    public boolean changesNothing() {
      return delta == 0 && departed == 0 && bytes == 0;
    }
  }

  /**
   * What became of the changes.
   *
   * @param summed rows that are gone
   * @param left rows in their place, one for each lane that has some jobs, or has lately had some
   */
  public record Summed(int summed, int left) {}

  /** Adds to the depth of lanes; the jobs' payloads are asked for their sizes. */
  public static void add(Connection tx, DepthMoves moves) throws SQLException {
    if (moves.isEmpty()) {
      return;
    }
    add(tx, moves.changes(sizes(tx, moves.jobs())));
  }

  /** Bytes of the payloads of jobs; TOAST knows them without reading any. */
  private static Map<UUID, Integer> sizes(Connection tx, List<UUID> jobs) throws SQLException {
    Map<UUID, Integer> sizes = HashMap.newHashMap(jobs.size());
    try (PreparedStatement statement = tx.prepareStatement(SIZES)) {
      statement.setObject(1, PgArray.uuids(jobs.toArray(UUID[]::new)));
      statement.setObject(2, jobs.getFirst());
      statement.setObject(3, jobs.getLast());
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          sizes.put(rows.getObject(1, UUID.class), rows.getInt(2));
        }
      }
    }
    return sizes;
  }

  /** Adds to the depth of lanes. */
  public static void add(Connection tx, List<Change> changes) throws SQLException {
    if (changes.isEmpty()) {
      return;
    }
    try (PreparedStatement statement = tx.prepareStatement(ADD)) {
      bind(statement, 0, changes);
      statement.executeUpdate();
    }
  }

  /** Fills the parameters of {@link #ADD} after {@code at}. */
  public static void bind(PreparedStatement statement, int at, List<Change> changes)
      throws SQLException {
    int i = at;
    statement.setObject(++i, PgArray.texts(changes, d -> d.lane().queue()));
    statement.setObject(++i, PgArray.texts(changes, d -> d.lane().priorityClass()));
    statement.setObject(++i, PgArray.ints(changes, Change::delta));
    statement.setObject(++i, PgArray.ints(changes, Change::departed));
    statement.setObject(++i, PgArray.longs(changes, Change::bytes));
  }

  /** Changes that are not summed yet, and the sums. */
  public static long rows(Connection connection) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(ROWS);
        ResultSet row = statement.executeQuery()) {
      row.next();
      return row.getLong(1);
    }
  }

  /**
   * Sums the changes of each lane into one row.
   *
   * @param all whether those as well that came so late that the last sums did not reach back to
   *     them
   */
  public static Summed sumUp(Connection tx, boolean all) throws SQLException {
    lock(tx, LOCK);
    return sum(tx, all);
  }

  /** Sums those that are newer than the last sums, unless somebody else does; whether it did. */
  public static boolean trySumUp(Connection tx) throws SQLException {
    boolean alone = lock(tx, TRY_LOCK);
    if (alone) {
      sum(tx, false);
    }
    return alone;
  }

  /** In a statement of its own: what follows sees what has been committed meanwhile. */
  private static boolean lock(Connection tx, String sql) throws SQLException {
    try (PreparedStatement statement = tx.prepareStatement(sql);
        ResultSet row = statement.executeQuery()) {
      row.next();
      return !sql.equals(TRY_LOCK) || row.getBoolean(1);
    }
  }

  private static Summed sum(Connection tx, boolean all) throws SQLException {
    try (PreparedStatement statement = tx.prepareStatement(sumUp(all ? "0" : SINCE))) {
      statement.setInt(1, LATE_IDS);
      try (ResultSet row = statement.executeQuery()) {
        row.next();
        return new Summed(row.getInt(1), row.getInt(2));
      }
    }
  }

  /**
   * The rate of a lane is an average in which ten seconds count for most; of one that has been idle
   * it begins anew, and one that has become more than twice as high is followed faster. The
   * capacity of a queue is that average over the time in which it had more jobs than left it; in
   * other time, when as many leave as come, it fades within minutes instead. One row stays in any
   * case: it says from where on to read.
   */
  private static String sumUp(String since) {
    return """
    WITH d AS (DELETE FROM millpond.queue_depth WHERE id >= %s
               RETURNING id, queue, class, delta, departed, bytes, since, rate, capacity, summed_at),
         s AS (SELECT queue, class, sum(delta) AS delta, sum(departed) AS departed,
                      sum(bytes) AS bytes,
                      coalesce(sum(rate), 0) AS rate, coalesce(sum(capacity), 0) AS capacity,
                      extract(epoch FROM now() - max(summed_at))::float8 AS age
               FROM d GROUP BY queue, class),
         m AS (SELECT queue, class, delta, departed, bytes, rate, capacity, age,
                      departed / CASE WHEN age IS NULL OR age > 10 THEN 1
                                      ELSE least(greatest(age, 0.05), 2) END AS latest
               FROM s),
         r AS (SELECT queue, class, delta, departed, bytes, latest, capacity, age,
                      CASE WHEN age IS NULL OR age > 10 OR rate = 0 THEN latest
                           WHEN departed >= 10 AND latest > 2 * rate THEN (rate + latest) / 2
                           ELSE latest + (rate - latest) * exp(-greatest(age, 0) / 10) END AS rate
               FROM m),
         q AS (SELECT queue, sum(departed) AS departed, sum(delta) > sum(departed) AS waits,
                      sum(latest) AS latest, greatest(coalesce(max(age), 0), 0) AS age,
                      sum(capacity) * exp(-least(greatest(coalesce(max(age), 0), 0), 3000) / 300)
                          AS capacity
               FROM r GROUP BY queue),
         c AS (SELECT queue,
                      CASE WHEN capacity = 0 THEN latest
                           WHEN departed >= 10 AND latest > 2 * capacity
                               THEN (capacity + latest) / 2
                           WHEN waits OR latest > capacity
                               THEN latest + (capacity - latest) * exp(-least(age, 1) / 10)
                           ELSE capacity END AS capacity
               FROM q),
         n AS (SELECT least(coalesce((SELECT min(id) FROM d WHERE since IS NOT NULL), next), next)
                      - ? AS since
               FROM nextval('millpond.queue_depth_id_seq') AS next),
         o AS (SELECT r.queue, r.class, r.delta, r.bytes, r.rate,
                      row_number() OVER (ORDER BY r.delta DESC) AS place,
                      CASE row_number() OVER (PARTITION BY r.queue ORDER BY r.delta DESC)
                          WHEN 1 THEN c.capacity ELSE 0 END AS capacity
               FROM r JOIN c ON c.queue = r.queue),
         i AS (INSERT INTO millpond.queue_depth
                   (queue, class, delta, bytes, since, rate, capacity, summed_at)
               SELECT o.queue, o.class, o.delta, o.bytes, n.since,
                      CASE WHEN o.rate < 0.001 THEN 0 ELSE o.rate END,
                      CASE WHEN o.capacity < 0.001 THEN 0 ELSE o.capacity END, now()
               FROM o, n
               WHERE o.delta <> 0 OR o.bytes <> 0 OR o.rate >= 0.001 OR o.capacity >= 0.001
                     OR o.place = 1
               RETURNING id)
    SELECT (SELECT count(*) FROM d), (SELECT count(*) FROM i)
    """
        .formatted(since);
  }
}
