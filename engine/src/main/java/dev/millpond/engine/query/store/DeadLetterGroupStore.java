package dev.millpond.engine.query.store;

import dev.millpond.engine.query.DeadLetterFilter;
import dev.millpond.engine.query.DeadLetterGroups;
import dev.millpond.engine.query.DeadLetterGroups.Group;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Groups the newest dead letters by what they died of. The caller owns the transaction. */
public final class DeadLetterGroupStore {
  /** Dead letters that are grouped: the newest that match. */
  public static final int GROUPED_MAX = 10_000;

  /** Dead letters that a filter looks at: the newest. */
  private static final int LOOKED_AT = 50_000;

  /** Of a filter by tag, which looks at the job of each. */
  private static final int JOBS_LOOKED_AT = 10_000;

  /** Groups that are given: the largest. */
  public static final int GROUPS_MAX = 200;

  /** Characters of a message that tell groups apart. */
  private static final int CHARS = 200;

  private static final long TIMEOUT_MILLIS = 2_000;

  /** In place of what differs from message to message. */
  private static final String HOLE = "#";

  /** Quoted words, then ids and numbers in hexadecimal, then whatever has digits in it. */
  private static final String DIFFERS =
      "\"[^\"]*\"|''[^'']*''|[[:xdigit:]]{8}-[[:xdigit:]-]{27}|0x[[:xdigit:]]+"
          + "|[[:alnum:]_]*[[:digit:]][[:alnum:]_]*";

  private static final String GROUPED =
      """
      SELECT kind, error_type, pattern, count(*), min(dead_at), max(dead_at),
             (array_agg(job_id ORDER BY dead_at DESC))[1], min(seen)
      FROM (SELECT kind, error_type, dead_at, job_id, count(*) OVER () AS seen,
                   regexp_replace(left(split_part(coalesce(error_message, ''), chr(10), 1), %d),
                                  '%s', '%s', 'g') AS pattern
            FROM (
      """
          .formatted(CHARS, DIFFERS, HOLE);

  private static final String LETTERS =
      """
      SELECT d.kind, d.error_type, d.error_message, d.dead_at, d.job_id
      FROM (SELECT d.* FROM millpond.dead_letter d WHERE true
      """;

  private static final String NEWEST =
      """
      ORDER BY d.dead_at DESC, d.job_id DESC LIMIT ?) AS d WHERE true
      """;

  private static final String END =
      """
      ORDER BY d.dead_at DESC, d.job_id DESC LIMIT ?) AS newest) AS shaped
      GROUP BY kind, error_type, pattern ORDER BY 4 DESC, 6 DESC LIMIT ?
      """;

  private static final String BEYOND = "SELECT FROM millpond.dead_letter d WHERE true";

  private DeadLetterGroupStore() {}

  /** The groups of the newest dead letters that match, largest first. */
  public static DeadLetterGroups read(Connection tx, DeadLetterFilter filter) throws SQLException {
    Snapshot.beginScan(tx, TIMEOUT_MILLIS);
    int looked = filter.tag() == null ? LOOKED_AT : JOBS_LOOKED_AT;
    Sql sql = new Sql().add(GROUPED).add(LETTERS);
    time(sql, filter);
    sql.add(NEWEST, looked);
    DeadLetterStore.conditions(sql, filter);
    List<Group> groups = new ArrayList<>();
    long seen = 0;
    try (PreparedStatement statement = sql.add(END, GROUPED_MAX, GROUPS_MAX).prepare(tx);
        ResultSet rows = statement.executeQuery()) {
      while (rows.next()) {
        groups.add(group(rows));
        seen = rows.getLong(8);
      }
    }
    return new DeadLetterGroups(groups, seen < GROUPED_MAX && !more(tx, filter, looked));
  }

  /** Whether there are more dead letters in the time of a filter than were looked at. */
  private static boolean more(Connection tx, DeadLetterFilter filter, int looked)
      throws SQLException {
    Sql sql = new Sql().add(BEYOND);
    time(sql, filter);
    sql.add("ORDER BY d.dead_at DESC, d.job_id DESC OFFSET ? LIMIT 1", looked);
    try (PreparedStatement statement = sql.prepare(tx);
        ResultSet row = statement.executeQuery()) {
      return row.next();
    }
  }

  private static void time(Sql sql, DeadLetterFilter filter) {
    time(sql, ">=", filter.since());
    time(sql, "<", filter.until());
  }

  private static void time(Sql sql, String comparison, @Nullable Instant at) {
    if (at != null) {
      sql.add("AND d.dead_at " + comparison + " ?", at);
    }
  }

  private static Group group(ResultSet row) throws SQLException {
    String pattern = row.getString(3);
    return new Group(
        row.getString(1),
        row.getString(2),
        pattern,
        common(pattern),
        row.getLong(4),
        row.getObject(5, OffsetDateTime.class).toInstant(),
        row.getObject(6, OffsetDateTime.class).toInstant(),
        row.getObject(7, UUID.class));
  }

  /** The longest part of a pattern without a hole. */
  private static String common(String pattern) {
    return Arrays.stream(pattern.split(HOLE, -1))
        .map(String::strip)
        .max(Comparator.comparingInt(String::length))
        .orElse("");
  }
}
