package dev.millpond.engine.fleet.store;

import dev.millpond.engine.audit.store.AuditStore;
import dev.millpond.engine.fleet.DrainOrder;
import dev.millpond.engine.fleet.WorkerView;
import dev.millpond.engine.fleet.WorkerView.State;
import dev.millpond.engine.lifecycle.store.Pg;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** The rows of workers, as others than their sessions see them. The caller owns the transaction. */
public final class WorkerStore {
  /** More than a fleet can have; a list of all. */
  private static final int LIST_MAX = 10_000;

  private static final String READ =
      """
      SELECT session, process, host, pid, kinds, slots, busy, shards, started_at,
             extract(epoch FROM clock_timestamp() - beat_at) * 1000,
             extract(epoch FROM lease) * 1000, fenced, draining, drained,
             drain_asked_at, drain_by, drain_reason
      FROM millpond.worker
      """;

  private static final String ALL = READ + "ORDER BY started_at, session LIMIT " + LIST_MAX;

  /** Of a process that was fenced, the session that lives; the first session has its id. */
  private static final String ONE =
      READ
          + """
          WHERE session = ? OR process = ?
          ORDER BY fenced, started_at DESC LIMIT 1
          """;

  private static final String DRAIN =
      """
      UPDATE millpond.worker SET drain_asked_at = now(), drain_by = ?, drain_reason = ?
      WHERE (session = ? OR process = ?) AND NOT fenced AND drain_asked_at IS NULL
      """;

  private static final String RESUME =
      """
      UPDATE millpond.worker SET drain_asked_at = NULL, drain_by = NULL, drain_reason = NULL
      WHERE (session = ? OR process = ?) AND NOT fenced AND drain_asked_at IS NOT NULL
      """;

  private static final String FACTS =
      """
      SELECT jsonb_strip_nulls(jsonb_build_object(
          'drainAskedAt', drain_asked_at, 'by', drain_by, 'reason', drain_reason))
      FROM millpond.worker WHERE (session = ?::uuid OR process = ?::uuid) AND NOT fenced
      """;

  private WorkerStore() {}

  /** Its drain, for the audit; null when it is not there. */
  public static @Nullable String facts(Connection tx, UUID id) throws SQLException {
    return AuditStore.json(tx, FACTS, id.toString(), id.toString());
  }

  /** All, the longest running first. */
  public static List<WorkerView> list(Connection tx) throws SQLException {
    List<WorkerView> workers = new ArrayList<>();
    try (PreparedStatement statement = tx.prepareStatement(ALL);
        ResultSet rows = statement.executeQuery()) {
      while (rows.next()) {
        workers.add(worker(rows));
      }
    }
    return workers;
  }

  /**
   * One of them.
   *
   * @param id of a session or a process
   */
  public static Optional<WorkerView> find(Connection tx, UUID id) throws SQLException {
    try (PreparedStatement statement = tx.prepareStatement(ONE)) {
      statement.setObject(1, id);
      statement.setObject(2, id);
      try (ResultSet row = statement.executeQuery()) {
        return row.next() ? Optional.of(worker(row)) : Optional.empty();
      }
    }
  }

  /** Marks a live worker that is not marked yet. */
  public static void drain(Connection tx, UUID id, @Nullable String by, @Nullable String reason)
      throws SQLException {
    try (PreparedStatement statement = tx.prepareStatement(DRAIN)) {
      statement.setString(1, by);
      statement.setString(2, reason);
      statement.setObject(3, id);
      statement.setObject(4, id);
      statement.executeUpdate();
    }
  }

  /** Takes the mark from a live worker. */
  public static void resume(Connection tx, UUID id) throws SQLException {
    try (PreparedStatement statement = tx.prepareStatement(RESUME)) {
      statement.setObject(1, id);
      statement.setObject(2, id);
      statement.executeUpdate();
    }
  }

  private static WorkerView worker(ResultSet row) throws SQLException {
    Duration sinceBeat = Duration.ofMillis(Math.max(0, row.getLong(10)));
    Duration lease = Duration.ofMillis(row.getLong(11));
    DrainOrder drain = drainOrder(row, 15);
    boolean silent = sinceBeat.compareTo(lease) > 0;
    boolean draining = drain != null || row.getBoolean(13);
    State state =
        row.getBoolean(12)
            ? State.LOST
            : silent
                ? State.SILENT
                : !draining ? State.ACTIVE : row.getBoolean(14) ? State.DRAINED : State.DRAINING;
    String[] kinds = (String[]) row.getArray(5).getArray();
    Arrays.sort(kinds);
    int[] shards = Pg.ints(row, 8);
    return new WorkerView(
        row.getObject(1, UUID.class),
        row.getObject(2, UUID.class),
        row.getString(3),
        row.getLong(4),
        state,
        List.of(kinds),
        row.getInt(6),
        row.getInt(7),
        shards == null ? List.of() : Arrays.stream(shards).boxed().toList(),
        instant(row, 9),
        sinceBeat,
        lease,
        drain);
  }

  /**
   * The order in three columns: when, by whom and why.
   *
   * @return null when there is none
   */
  public static @Nullable DrainOrder drainOrder(ResultSet row, int column) throws SQLException {
    OffsetDateTime askedAt = row.getObject(column, OffsetDateTime.class);
    return askedAt == null
        ? null
        : new DrainOrder(askedAt.toInstant(), row.getString(column + 1), row.getString(column + 2));
  }

  private static Instant instant(ResultSet row, int column) throws SQLException {
    return row.getObject(column, OffsetDateTime.class).toInstant();
  }
}
