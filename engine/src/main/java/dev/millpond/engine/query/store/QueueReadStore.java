package dev.millpond.engine.query.store;

import dev.millpond.api.JobView.JobError;
import dev.millpond.engine.dispatch.Lane;
import dev.millpond.engine.dispatch.Lanes;
import dev.millpond.engine.dispatch.store.DispatchStore;
import dev.millpond.engine.lifecycle.store.PgArray;
import dev.millpond.engine.query.DeadLetterFilter;
import dev.millpond.engine.query.DeadLetterView;
import dev.millpond.engine.query.InvalidCursorException;
import dev.millpond.engine.query.Page;
import dev.millpond.engine.query.QueueView;
import dev.millpond.engine.query.QueueView.ClassDepth;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Reads queues and dead letters. The caller owns the transaction. Stateless. */
public final class QueueReadStore {
  private static final String DEPTHS =
      "SELECT queue, class, greatest(sum(delta), 0) FROM millpond.queue_depth GROUP BY queue,"
          + " class";

  private static final String SCHEDULED =
      """
      SELECT queue, count(*) FROM (
          SELECT queue FROM millpond.job_state WHERE phase IN ('scheduled', 'waiting') LIMIT ?) AS s
      GROUP BY queue
      """;

  private static final String DEAD =
      "SELECT queue, count(*) FROM (SELECT queue FROM millpond.dead_letter LIMIT ?) AS d GROUP BY"
          + " queue";

  /** Ids are time-ordered: the first of each queue, class and kind is its oldest. */
  private static final String OLDEST =
      """
      SELECT q.queue, extract(epoch FROM now() - min(o.created_at)) * 1000
      FROM unnest(?::text[], ?::text[], ?::text[]) AS q (queue, class, kind)
      CROSS JOIN LATERAL (
          SELECT d.created_at FROM millpond.dispatch d
          WHERE d.queue = q.queue AND d.class = q.class AND d.kind = q.kind
          ORDER BY d.id LIMIT 1) AS o
      GROUP BY q.queue
      """;

  private static final String DEAD_LETTERS =
      """
      SELECT job_id, queue, class, kind, attempts, reason, error_type, error_message, error_stack,
             dead_at
      FROM (SELECT * FROM millpond.dead_letter
            WHERE (dead_at, job_id) < (?, ?)
            ORDER BY dead_at DESC, job_id DESC LIMIT ?) AS w
      """;

  /** Rows that one list request looks at. */
  private static final int WINDOW = 50_000;

  /** Rows that are counted; beyond it a count stays at this. */
  private static final int COUNT_MAX = 1_000_000;

  private static final int LIMIT_MAX = 500;
  private static final UUID HIGHEST = new UUID(-1, -1);
  private static final Instant LATEST = Instant.parse("9999-01-01T00:00:00Z");

  private QueueReadStore() {}

  public static List<QueueView> queues(Connection tx, List<String> names, Lanes lanes)
      throws SQLException {
    Map<Lane, Long> depths = new HashMap<>();
    try (Statement statement = tx.createStatement();
        ResultSet rows = statement.executeQuery(DEPTHS)) {
      while (rows.next()) {
        depths.put(new Lane(rows.getString(1), rows.getString(2)), rows.getLong(3));
      }
    }
    Map<String, Long> scheduled = counts(tx, SCHEDULED);
    Map<String, Long> dead = counts(tx, DEAD);
    Map<String, Long> oldest = oldest(tx);
    List<QueueView> views = new ArrayList<>();
    for (String name : names) {
      List<ClassDepth> classes = new ArrayList<>();
      long depth = 0;
      for (String priorityClass : lanes.classes()) {
        Lane lane = new Lane(name, priorityClass);
        long of = depths.getOrDefault(lane, 0L);
        depth += of;
        classes.add(new ClassDepth(priorityClass, of, lanes.weight(lane)));
      }
      views.add(
          new QueueView(
              name,
              depth,
              scheduled.getOrDefault(name, 0L),
              dead.getOrDefault(name, 0L),
              oldest.getOrDefault(name, 0L),
              classes));
    }
    return views;
  }

  private static Map<String, Long> counts(Connection tx, String sql) throws SQLException {
    Map<String, Long> counts = new HashMap<>();
    try (PreparedStatement statement = tx.prepareStatement(sql)) {
      statement.setInt(1, COUNT_MAX);
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          counts.put(rows.getString(1), rows.getLong(2));
        }
      }
    }
    return counts;
  }

  private static Map<String, Long> oldest(Connection tx) throws SQLException {
    List<DispatchStore.Sort> sorts = DispatchStore.sorts(tx);
    Map<String, Long> oldest = new HashMap<>();
    try (PreparedStatement statement = tx.prepareStatement(OLDEST)) {
      statement.setObject(1, PgArray.texts(sorts, s -> s.lane().queue()));
      statement.setObject(2, PgArray.texts(sorts, s -> s.lane().priorityClass()));
      statement.setObject(3, PgArray.texts(sorts, DispatchStore.Sort::kind));
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          oldest.put(rows.getString(1), Math.max(0, (long) rows.getDouble(2)));
        }
      }
    }
    return oldest;
  }

  private record Cursor(Instant deadAt, UUID jobId) {}

  /**
   * Dead letters, newest first.
   *
   * @throws InvalidCursorException when the cursor is not one of ours, or the limit out of range
   */
  public static Page<DeadLetterView> deadLetters(
      Connection tx, DeadLetterFilter filter, @Nullable String cursor, int limit)
      throws SQLException {
    if (limit < 1 || limit > LIMIT_MAX) {
      throw new InvalidCursorException("limit must be 1 to " + LIMIT_MAX + ", is " + limit);
    }
    Cursor from = cursor == null ? new Cursor(LATEST, HIGHEST) : decode(cursor);
    List<DeadLetterView> found = new ArrayList<>();
    Cursor last = from;
    int seen = 0;
    try (PreparedStatement statement = tx.prepareStatement(DEAD_LETTERS)) {
      statement.setFetchSize(LIMIT_MAX);
      statement.setObject(1, OffsetDateTime.ofInstant(from.deadAt(), ZoneOffset.UTC));
      statement.setObject(2, from.jobId());
      statement.setInt(3, filter.equals(DeadLetterFilter.ALL) ? limit + 1 : WINDOW);
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          if (found.size() == limit) {
            return new Page<>(found, encode(last), false);
          }
          seen++;
          DeadLetterView view = view(rows);
          last = new Cursor(view.deadAt(), view.jobId());
          if (matches(filter, view)) {
            found.add(view);
          }
        }
      }
    }
    boolean partial = seen == WINDOW;
    return new Page<>(found, partial ? encode(last) : null, partial);
  }

  private static boolean matches(DeadLetterFilter filter, DeadLetterView view) {
    return (filter.queue() == null || filter.queue().equals(view.queue()))
        && (filter.kind() == null || filter.kind().equals(view.kind()));
  }

  private static DeadLetterView view(ResultSet row) throws SQLException {
    return new DeadLetterView(
        row.getObject(1, UUID.class),
        row.getString(2),
        row.getString(3),
        row.getString(4),
        row.getInt(5),
        row.getString(6),
        new JobError(row.getString(7), row.getString(8), row.getString(9)),
        row.getObject(10, OffsetDateTime.class).toInstant());
  }

  private static String encode(Cursor cursor) {
    return Base64.getUrlEncoder()
        .withoutPadding()
        .encodeToString(
            (cursor.deadAt() + " " + cursor.jobId()).getBytes(StandardCharsets.US_ASCII));
  }

  private static Cursor decode(String cursor) {
    try {
      String[] parts =
          new String(Base64.getUrlDecoder().decode(cursor), StandardCharsets.US_ASCII)
              .split(" ", -1);
      if (parts.length == 2) {
        return new Cursor(Instant.parse(parts[0]), UUID.fromString(parts[1]));
      }
    } catch (IllegalArgumentException | DateTimeException e) {
      throw new InvalidCursorException(
          "cursor is not one that a list has given: " + e.getMessage());
    }
    throw new InvalidCursorException("cursor is not one that a list has given");
  }
}
