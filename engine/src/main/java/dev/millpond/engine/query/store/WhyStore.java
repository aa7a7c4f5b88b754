package dev.millpond.engine.query.store;

import dev.millpond.api.JobState;
import dev.millpond.api.JobView;
import dev.millpond.api.JobView.Holder;
import dev.millpond.engine.flow.LimitView;
import dev.millpond.engine.flow.Limited;
import dev.millpond.engine.flow.Pause.Scope;
import dev.millpond.engine.flow.store.LimitStore;
import dev.millpond.engine.lifecycle.store.ClockStore;
import dev.millpond.engine.query.WhyRules.Facts;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/** Reads what a job waits for. The caller owns the transaction. Stateless. */
public final class WhyStore {
  /** Batches before it that are counted of each kind, and kinds that are looked at. */
  private static final int BATCHES_MAX = 5_000;

  private static final int KINDS_MAX = 200;

  private static final String WORKERS =
      """
      SELECT count(*) FILTER (WHERE NOT draining AND drain_asked_at IS NULL),
             count(*) FILTER (WHERE draining OR drain_asked_at IS NOT NULL)
      FROM millpond.worker
      WHERE NOT fenced AND beat_at > now() - lease AND ? = ANY (kinds)
      """;

  /** Skips from kind to kind along the lane's index, and counts along it up to the batch. */
  private static final String AHEAD =
      """
      WITH RECURSIVE k AS (
          (SELECT kind, 1 AS n FROM millpond.dispatch WHERE queue = ? AND class = ?
           ORDER BY kind LIMIT 1)
          UNION ALL
          SELECT (SELECT d.kind FROM millpond.dispatch d
                  WHERE d.queue = ? AND d.class = ? AND d.kind > k.kind ORDER BY d.kind LIMIT 1),
                 k.n + 1
          FROM k WHERE k.kind IS NOT NULL AND k.n < ?)
      SELECT coalesce(sum(a.jobs), 0), coalesce(max(a.batches), 0)
      FROM k CROSS JOIN LATERAL (
          SELECT sum(cardinality(c.job_ids)) AS jobs, count(*) AS batches
          FROM (SELECT d.job_ids FROM millpond.dispatch d
                WHERE d.queue = ? AND d.class = ? AND d.kind = k.kind AND d.id < ?
                  AND d.claimed_by IS NULL
                LIMIT ?) AS c) AS a
      """;

  private WhyStore() {}

  /**
   * What is known of a job; empty when there is none.
   *
   * @param limited queues and kinds that have limits
   */
  public static Optional<Facts> facts(Connection tx, UUID id, Limited limited) throws SQLException {
    Optional<JobView> found = JobStore.find(tx, id);
    if (found.isEmpty()) {
      return Optional.empty();
    }
    JobView job = found.get();
    int workers;
    int draining;
    try (PreparedStatement statement = tx.prepareStatement(WORKERS)) {
      statement.setString(1, job.request().kind());
      try (ResultSet row = statement.executeQuery()) {
        row.next();
        workers = row.getInt(1);
        draining = row.getInt(2);
      }
    }
    Map<Scope, LimitView> limits = new EnumMap<>(Scope.class);
    if (limited.queues().containsKey(job.request().queue())) {
      limits.put(Scope.QUEUE, LimitStore.view(tx, Scope.QUEUE, job.request().queue()));
    }
    if (limited.kinds().containsKey(job.request().kind())) {
      limits.put(Scope.KIND, LimitStore.view(tx, Scope.KIND, job.request().kind()));
    }
    Ahead ahead = job.state() == JobState.RUNNABLE ? ahead(tx, job) : Ahead.NONE;
    return Optional.of(
        new Facts(job, workers, draining, limits, ahead.jobs(), ahead.more(), ClockStore.now(tx)));
  }

  private record Ahead(long jobs, boolean more) {
    static final Ahead NONE = new Ahead(0, false);
  }

  private static Ahead ahead(Connection tx, JobView job) throws SQLException {
    Holder holder = job.holder();
    UUID batch = holder == null ? null : holder.dispatchId();
    if (batch == null) {
      return Ahead.NONE;
    }
    String queue = job.request().queue();
    String priorityClass = job.request().priorityClass();
    try (PreparedStatement statement = tx.prepareStatement(AHEAD)) {
      int i = 0;
      statement.setString(++i, queue);
      statement.setString(++i, priorityClass);
      statement.setString(++i, queue);
      statement.setString(++i, priorityClass);
      statement.setInt(++i, KINDS_MAX);
      statement.setString(++i, queue);
      statement.setString(++i, priorityClass);
      statement.setObject(++i, batch);
      statement.setInt(++i, BATCHES_MAX + 1);
      try (ResultSet row = statement.executeQuery()) {
        row.next();
        return new Ahead(row.getLong(1), row.getLong(2) > BATCHES_MAX);
      }
    }
  }
}
