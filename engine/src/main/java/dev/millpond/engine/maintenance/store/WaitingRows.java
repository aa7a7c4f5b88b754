package dev.millpond.engine.maintenance.store;

import dev.millpond.engine.dispatch.Lane;
import dev.millpond.engine.dispatch.store.DispatchStore;
import dev.millpond.engine.lifecycle.store.IdTime;
import dev.millpond.engine.lifecycle.store.Pg;
import dev.millpond.engine.lifecycle.store.PgArray;
import dev.millpond.engine.maintenance.store.ExpiryStore.Expiring;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Finds the dispatch rows that name given jobs, and locks those that nobody has taken.
 *
 * <p>A dispatch row has no index by job. Both ids are time-ordered, so that the row of a first
 * attempt is right behind its jobs: rows of the same lane and time are looked through for all jobs
 * of that time at once. What is not there was given back, promoted or rescued; for that a bounded
 * stretch of the lane is looked through. What is not there either is not found this time.
 *
 * <p>The caller owns the transaction. Stateless.
 */
final class WaitingRows {
  /** A batch may be made by a process whose clock is this much behind its jobs' ids. */
  private static final long BEFORE_MILLIS = 2_000;

  /** Jobs are looked for this long after the last of their cluster was made. */
  private static final long AFTER_MILLIS = 2_000;

  /** Rows of a lane that one look goes through, this many at a time. */
  private static final int ROWS_MAX = 10_000;

  private static final int PAGE = 500;

  /** Estimates for a table that was empty a moment ago may prefer to read all of it. */
  private static final String BY_INDEX =
      "SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off";

  /**
   * The next rows of a kind, in the way that {@link DispatchStore} says: each at least once, with
   * the jobs in it that are looked for. There is no upper bound on the ids, which PostgreSQL before
   * 18 would only use to pass over rows: nothing would end the walk.
   */
  private static final String FIND =
      """
      SELECT d.id, n.job_id, coalesce(n.token, 1), d.sent_at IS NULL AND d.claimed_by IS NULL
      FROM (SELECT id, job_ids, tokens, sent_at, claimed_by FROM millpond.dispatch
            WHERE queue = ? AND class = ? AND (kind, id) > (?, ?) AND kind <= ?
            ORDER BY kind, id LIMIT ?) AS d
      LEFT JOIN LATERAL unnest(d.job_ids, d.tokens) AS n (job_id, token)
             ON n.job_id = ANY (?::uuid[])
      ORDER BY d.id
      """;

  private static final String LOCK =
      """
      SELECT job_ids, tokens FROM millpond.dispatch
      WHERE id = ANY (?::uuid[]) AND sent_at IS NULL AND claimed_by IS NULL
      ORDER BY id FOR UPDATE SKIP LOCKED
      """;

  private static final UUID HIGHEST = new UUID(-1, -1);

  private WaitingRows() {}

  private record Sort(Lane lane, String kind) {}

  /** Jobs of one sort that were made at about the same time. */
  private record Cluster(Sort sort, List<Expiring> jobs) {}

  /** What is known so far: rows to lock, and jobs whose row has been seen. */
  private record Found(Set<UUID> waiting, Set<UUID> seen) {}

  /** Locks waiting rows of these jobs; the jobs that are in them at their tokens. */
  static Set<UUID> lock(Connection tx, List<Expiring> jobs) throws SQLException {
    if (jobs.isEmpty()) {
      return Set.of();
    }
    try (Statement statement = tx.createStatement()) {
      statement.execute(BY_INDEX);
    }
    Map<Sort, List<Expiring>> sorts = new LinkedHashMap<>();
    for (Expiring job : jobs) {
      sorts.computeIfAbsent(new Sort(job.lane(), job.kind()), s -> new ArrayList<>()).add(job);
    }
    Found found = new Found(new HashSet<>(), new HashSet<>());
    for (Map.Entry<Sort, List<Expiring>> sort : sorts.entrySet()) {
      for (Cluster cluster : clusters(sort.getKey(), sort.getValue())) {
        UUID high = IdTime.lowest(millis(cluster.jobs().getLast()) + AFTER_MILLIS);
        find(tx, cluster, high, found);
      }
      List<Expiring> missing =
          sort.getValue().stream().filter(job -> !found.seen().contains(job.jobId())).toList();
      if (!missing.isEmpty()) {
        find(tx, new Cluster(sort.getKey(), missing), HIGHEST, found);
      }
    }
    return lockRows(tx, jobs, found.waiting());
  }

  /** Sorts the jobs by their age, and splits them where there is a gap. */
  private static List<Cluster> clusters(Sort sort, List<Expiring> jobs) {
    jobs.sort(Comparator.comparing(Expiring::jobId, PgArray.UUID_ORDER));
    List<Cluster> clusters = new ArrayList<>();
    int from = 0;
    for (int i = 1; i <= jobs.size(); i++) {
      if (i == jobs.size() || millis(jobs.get(i)) - millis(jobs.get(i - 1)) > AFTER_MILLIS) {
        clusters.add(new Cluster(sort, jobs.subList(from, i)));
        from = i;
      }
    }
    return clusters;
  }

  /** Looks through the rows up to this id, or as many as one look goes through. */
  private static void find(Connection tx, Cluster cluster, UUID high, Found found)
      throws SQLException {
    UUID from = IdTime.lowest(millis(cluster.jobs().getFirst()) - BEFORE_MILLIS);
    for (int looked = 0; looked < ROWS_MAX; looked += PAGE) {
      UUID last = findPage(tx, cluster, from, found);
      if (last == null || PgArray.UUID_ORDER.compare(last, high) >= 0) {
        return;
      }
      from = last;
    }
  }

  /** The last id of a page; null when there are no more. */
  private static @Nullable UUID findPage(Connection tx, Cluster cluster, UUID after, Found found)
      throws SQLException {
    Map<UUID, Integer> tokens = tokens(cluster.jobs());
    UUID last = null;
    int count = 0;
    try (PreparedStatement statement = tx.prepareStatement(FIND)) {
      int i = 0;
      statement.setString(++i, cluster.sort().lane().queue());
      statement.setString(++i, cluster.sort().lane().priorityClass());
      statement.setString(++i, cluster.sort().kind());
      statement.setObject(++i, after);
      statement.setString(++i, cluster.sort().kind());
      statement.setInt(++i, PAGE);
      statement.setObject(++i, PgArray.uuids(cluster.jobs(), Expiring::jobId));
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          UUID row = rows.getObject(1, UUID.class);
          count += row.equals(last) ? 0 : 1;
          last = row;
          UUID job = rows.getObject(2, UUID.class);
          if (job != null && Integer.valueOf(rows.getInt(3)).equals(tokens.get(job))) {
            found.seen().add(job);
            if (rows.getBoolean(4)) {
              found.waiting().add(row);
            }
          }
        }
      }
    }
    return count < PAGE ? null : last;
  }

  private static Set<UUID> lockRows(Connection tx, List<Expiring> jobs, Set<UUID> rowIds)
      throws SQLException {
    Set<UUID> held = new HashSet<>();
    if (rowIds.isEmpty()) {
      return held;
    }
    Map<UUID, Integer> tokens = tokens(jobs);
    try (PreparedStatement statement = tx.prepareStatement(LOCK)) {
      statement.setObject(1, PgArray.uuids(rowIds.toArray(UUID[]::new)));
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          UUID[] ids = Pg.uuids(rows, 1);
          int[] named = Pg.ints(rows, 2);
          for (int i = 0; i < ids.length; i++) {
            Integer token = tokens.get(ids[i]);
            if (token != null && token == (named == null ? 1 : named[i])) {
              held.add(ids[i]);
            }
          }
        }
      }
    }
    return held;
  }

  private static Map<UUID, Integer> tokens(List<Expiring> jobs) {
    Map<UUID, Integer> tokens = new HashMap<>();
    jobs.forEach(job -> tokens.put(job.jobId(), job.token()));
    return tokens;
  }

  private static long millis(Expiring job) {
    return IdTime.millis(job.jobId());
  }
}
