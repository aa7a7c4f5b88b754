package dev.millpond.engine.query.store;

import dev.millpond.api.JobView.JobError;
import dev.millpond.engine.query.Cursors.DeadLetterPosition;
import dev.millpond.engine.query.DeadLetterFilter;
import dev.millpond.engine.query.DeadLetterView;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Scans the dead letters, newest first. The caller owns the transaction. Stateless. */
public final class DeadLetterStore {
  private static final String EDGE =
      """
      SELECT dead_at, job_id FROM millpond.dead_letter
      WHERE (dead_at, job_id) < (?, ?) AND dead_at >= ?
      ORDER BY dead_at DESC, job_id DESC OFFSET ? LIMIT 1
      """;

  private static final String VIEWS =
      """
      SELECT d.dead_at, d.job_id, d.queue, d.class, d.kind, d.attempts, d.reason,
             d.error_type, d.error_message, d.error_stack
      FROM millpond.dead_letter d
      """;

  private static final String IDS = "SELECT d.dead_at, d.job_id FROM millpond.dead_letter d";

  private static final String RANGE =
      "WHERE (d.dead_at, d.job_id) < (?, ?) AND (d.dead_at, d.job_id) >= (?, ?)";

  private static final String ORDER = "ORDER BY d.dead_at DESC, d.job_id DESC LIMIT ?";

  private static final UUID LOWEST = new UUID(0, 0);
  private static final UUID HIGHEST = new UUID(-1, -1);
  private static final Instant EARLIEST = Instant.EPOCH;
  private static final Instant LATEST = Instant.parse("9999-01-01T00:00:00Z");

  private DeadLetterStore() {}

  /** Makes an item of a row. */
  @FunctionalInterface
  private interface Row<T> {
    T read(ResultSet row) throws SQLException;
  }

  /** Where the list of a filter begins. */
  public static DeadLetterPosition start(DeadLetterFilter filter) {
    return filter.until() == null
        ? new DeadLetterPosition(LATEST, HIGHEST)
        : new DeadLetterPosition(filter.until(), LOWEST);
  }

  /** The dead letters that match. */
  public static Scan<DeadLetterPosition, DeadLetterView> views(DeadLetterFilter filter) {
    return new Matching<>(filter, VIEWS, DeadLetterStore::view);
  }

  /** The jobs of the dead letters that match. */
  public static Scan<DeadLetterPosition, UUID> ids(DeadLetterFilter filter) {
    return new Matching<>(filter, IDS, row -> row.getObject(2, UUID.class));
  }

  private record Matching<T>(DeadLetterFilter filter, String select, Row<T> row)
      implements Scan<DeadLetterPosition, T> {

    @Override
    public Chunk<DeadLetterPosition, T> read(
        Connection tx, DeadLetterPosition from, int rows, int want) throws SQLException {
      DeadLetterPosition edge = skip(tx, from, rows);
      DeadLetterPosition to = edge == null ? new DeadLetterPosition(since(), LOWEST) : edge;
      Sql sql =
          new Sql().add(select).add(RANGE, from.deadAt(), from.jobId(), to.deadAt(), to.jobId());
      conditions(sql, filter);
      List<T> items = new ArrayList<>();
      DeadLetterPosition last = from;
      try (PreparedStatement statement = sql.add(ORDER, want + 1).prepare(tx);
          ResultSet found = statement.executeQuery()) {
        while (found.next()) {
          if (items.size() == want) {
            return new Chunk<>(items, last, false);
          }
          items.add(row.read(found));
          last = position(found);
        }
      }
      return new Chunk<>(items, edge, false);
    }

    @Override
    public @Nullable DeadLetterPosition skip(Connection tx, DeadLetterPosition from, int rows)
        throws SQLException {
      try (PreparedStatement statement =
              new Sql().add(EDGE, from.deadAt(), from.jobId(), since(), rows - 1).prepare(tx);
          ResultSet row = statement.executeQuery()) {
        return row.next() ? position(row) : null;
      }
    }

    private Instant since() {
      return filter.since() == null ? EARLIEST : filter.since();
    }

    @Override
    public @Nullable String costly() {
      return null;
    }
  }

  /** What the filter asks of dead letter {@code d}, but for its time. */
  static void conditions(Sql sql, DeadLetterFilter filter) {
    if (filter.queue() != null) {
      sql.add("AND d.queue = ?", filter.queue());
    }
    Match.within(sql, "d.queue", filter.within());
    if (filter.kind() != null) {
      sql.add("AND d.kind = ?", filter.kind());
    }
    if (filter.error() != null) {
      sql.add("AND " + Match.ERROR.formatted("d", "d"), filter.error(), filter.error());
    }
    if (filter.tag() != null) {
      sql.add("AND (SELECT ");
      Match.tag(sql, filter.tag());
      sql.add("FROM millpond.job j WHERE j.id = d.job_id)");
    }
  }

  private static DeadLetterPosition position(ResultSet row) throws SQLException {
    return new DeadLetterPosition(
        row.getObject(1, OffsetDateTime.class).toInstant(), row.getObject(2, UUID.class));
  }

  private static DeadLetterView view(ResultSet row) throws SQLException {
    return new DeadLetterView(
        row.getObject("job_id", UUID.class),
        row.getString("queue"),
        row.getString("class"),
        row.getString("kind"),
        row.getInt("attempts"),
        row.getString("reason"),
        new JobError(
            row.getString("error_type"),
            row.getString("error_message"),
            row.getString("error_stack")),
        row.getObject("dead_at", OffsetDateTime.class).toInstant());
  }
}
