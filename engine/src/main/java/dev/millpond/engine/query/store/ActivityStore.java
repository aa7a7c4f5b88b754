package dev.millpond.engine.query.store;

import dev.millpond.engine.query.Activity;
import dev.millpond.engine.query.Activity.Attempts;
import dev.millpond.engine.query.Activity.Died;
import dev.millpond.engine.query.Activity.Leader;
import dev.millpond.engine.query.Activity.Spread;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Reads what the fleet has been doing from the newest rows of a few tables, found by their keys:
 * nothing is counted that would grow with the number of jobs. The caller owns the transaction.
 */
public final class ActivityStore {
  /** Rows of one table that are read at most. */
  private static final int SAMPLE = 2_000;

  /** Submitted jobs that are counted at most. */
  private static final int SUBMITS = 10_000;

  private static final int SUBMIT_SECONDS = 5;

  /** Dead letters that are counted at most. */
  private static final int DEAD = 10_000;

  /** A statement that takes longer is given up, and with it this look. */
  private static final long TIMEOUT_MILLIS = 2_000;

  private static final String SUBMITTED =
      """
      SELECT now(), count(*), extract(epoch FROM now() - min(created_at))
      FROM (SELECT created_at FROM millpond.job
            WHERE id >= millpond.uuid_floor(now() - ? * interval '1 second')
            ORDER BY id DESC LIMIT ?) AS j
      """;

  /**
   * Counts of the last minute among the newest outcomes and attempts. Where one sample is full, the
   * other is cut at its oldest job, so that both are of the same jobs.
   */
  private static final String ENDED =
      """
      WITH o AS MATERIALIZED (
             SELECT job_id, outcome AS ended, ended_at FROM millpond.job_outcome
             ORDER BY job_id DESC LIMIT ?),
           a AS MATERIALIZED (
             SELECT job_id, ended, ended_at FROM millpond.job_attempt
             ORDER BY job_id DESC LIMIT ?),
           cut AS MATERIALIZED (
             SELECT CASE WHEN count(*) >= ? THEN (array_agg(job_id ORDER BY job_id))[1] END AS id
             FROM o
             UNION ALL
             SELECT CASE WHEN count(*) >= ? THEN (array_agg(job_id ORDER BY job_id))[1] END
             FROM a)
      SELECT ended, count(*), EXISTS (SELECT FROM cut WHERE id IS NOT NULL)
      FROM (SELECT * FROM o WHERE ended = 'succeeded' UNION ALL SELECT * FROM a) AS e
      WHERE ended_at > now() - interval '1 minute'
        AND NOT EXISTS (SELECT FROM cut WHERE cut.id > e.job_id)
      GROUP BY ended
      """;

  private static final String TIMES =
      """
      SELECT percentile_disc(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP (ORDER BY waited),
             percentile_disc(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP (ORDER BY ran)
      FROM (SELECT greatest(0, extract(epoch FROM o.started_at - j.created_at) * 1000)::float8 AS waited,
                   greatest(0, extract(epoch FROM o.ended_at - o.started_at) * 1000)::float8 AS ran
            FROM (SELECT job_id, started_at, ended_at FROM millpond.job_outcome
                  WHERE outcome = 'succeeded' ORDER BY job_id DESC LIMIT ?) AS o
            CROSS JOIN LATERAL (SELECT created_at FROM millpond.job WHERE id = o.job_id LIMIT 1) AS j
            WHERE o.started_at IS NOT NULL AND o.ended_at > now() - interval '1 minute') AS t
      """;

  private static final String DIED =
      """
      SELECT count(*) FILTER (WHERE dead_at > now() - interval '1 minute'), count(*)
      FROM (SELECT dead_at FROM millpond.dead_letter WHERE dead_at > now() - interval '1 hour'
            ORDER BY dead_at DESC LIMIT ?) AS d
      """;

  private static final String LEADER =
      """
      SELECT l.holder, l.epoch, extract(epoch FROM l.expires_at - now()) * 1000, w.host, w.pid
      FROM millpond.leader l LEFT JOIN millpond.worker w ON w.process = l.holder
      ORDER BY w.fenced NULLS LAST LIMIT 1
      """;

  /** Of the times, a quarter of the sample is enough. */
  private static final int TIMED = SAMPLE / 4;

  private ActivityStore() {}

  /** Reads it, in a few short statements of one snapshot. */
  public static Activity read(Connection tx) throws SQLException {
    Snapshot.beginScan(tx, TIMEOUT_MILLIS);
    Instant at;
    double submitted;
    try (PreparedStatement statement = tx.prepareStatement(SUBMITTED)) {
      statement.setInt(1, SUBMIT_SECONDS);
      statement.setInt(2, SUBMITS);
      try (ResultSet row = statement.executeQuery()) {
        row.next();
        at = row.getObject(1, OffsetDateTime.class).toInstant();
        long jobs = row.getLong(2);
        double seconds = jobs < SUBMITS ? SUBMIT_SECONDS : Math.max(0.01, row.getDouble(3));
        submitted = jobs / seconds;
      }
    }
    Attempts attempts = attempts(tx);
    List<@Nullable Spread> times = times(tx);
    return new Activity(at, submitted, attempts, times.get(0), times.get(1), died(tx), leader(tx));
  }

  private static Attempts attempts(Connection tx) throws SQLException {
    Map<String, Integer> counts = new HashMap<>();
    boolean sampled = false;
    try (PreparedStatement statement = tx.prepareStatement(ENDED)) {
      for (int i = 1; i <= 4; i++) {
        statement.setInt(i, SAMPLE);
      }
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          counts.put(rows.getString(1), rows.getInt(2));
          sampled = rows.getBoolean(3);
        }
      }
    }
    return new Attempts(
        counts.getOrDefault("succeeded", 0),
        counts.getOrDefault("failed", 0) + counts.getOrDefault("fatal", 0),
        counts.getOrDefault("timed_out", 0),
        counts.getOrDefault("rescued", 0),
        counts.getOrDefault("cancelled", 0),
        sampled);
  }

  private static List<@Nullable Spread> times(Connection tx) throws SQLException {
    List<@Nullable Spread> spreads = new ArrayList<>();
    try (PreparedStatement statement = tx.prepareStatement(TIMES)) {
      statement.setInt(1, TIMED);
      try (ResultSet row = statement.executeQuery()) {
        row.next();
        spreads.add(spread(row, 1));
        spreads.add(spread(row, 2));
      }
    }
    return spreads;
  }

  private static @Nullable Spread spread(ResultSet row, int column) throws SQLException {
    java.sql.Array array = row.getArray(column);
    if (array == null) {
      return null;
    }
    Double[] millis = (Double[]) array.getArray();
    return new Spread(duration(millis[0]), duration(millis[1]), duration(millis[2]));
  }

  private static Duration duration(double millis) {
    return Duration.ofNanos(Math.round(millis * 1_000_000));
  }

  private static Died died(Connection tx) throws SQLException {
    try (PreparedStatement statement = tx.prepareStatement(DIED)) {
      statement.setInt(1, DEAD);
      try (ResultSet row = statement.executeQuery()) {
        row.next();
        return new Died(row.getInt(1), row.getInt(2));
      }
    }
  }

  private static @Nullable Leader leader(Connection tx) throws SQLException {
    try (PreparedStatement statement = tx.prepareStatement(LEADER);
        ResultSet row = statement.executeQuery()) {
      if (!row.next()) {
        return null;
      }
      long pid = row.getLong(5);
      boolean unknown = row.wasNull();
      return new Leader(
          row.getObject(1, UUID.class),
          row.getLong(2),
          Duration.ofMillis(row.getLong(3)),
          row.getString(4),
          unknown ? null : pid);
    }
  }
}
