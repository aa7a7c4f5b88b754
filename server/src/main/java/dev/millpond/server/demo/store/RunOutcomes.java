package dev.millpond.server.demo.store;

import dev.millpond.api.UnavailableException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Instant;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Reads how jobs ended, straight from the tables: the demo believes no process of its own. One
 * connection, for one thread at a time; every method throws {@link UnavailableException} when it is
 * lost.
 */
public final class RunOutcomes implements AutoCloseable {
  /** Most ids asked for at once. */
  public static final int IDS_MAX = 4_096;

  private final Connection connection;

  private RunOutcomes(Connection connection) {
    this.connection = connection;
  }

  /** Opens the connection; the reads that follow are short transactions of their own. */
  public static RunOutcomes open(String pgUrl) {
    try {
      return new RunOutcomes(DriverManager.getConnection(pgUrl));
    } catch (SQLException e) {
      throw lost(e);
    }
  }

  /**
   * A job that has ended, or is dead.
   *
   * @param outcome {@code succeeded}, {@code cancelled} or {@code dead}
   * @param leaseToken 1 when it was handed out once; 0 for a dead job
   * @param startedAt null when it never started
   * @param result JSON text of a job that has succeeded
   * @param error of a dead job
   */
  public record Ended(
      UUID id,
      String outcome,
      int attempt,
      int leaseToken,
      Instant createdAt,
      @Nullable Instant startedAt,
      Instant endedAt,
      @Nullable String result,
      @Nullable String error) {}

  /** Which of these jobs have ended, or are dead. */
  public Set<UUID> endedAmong(Collection<UUID> ids) {
    Set<UUID> ended = new HashSet<>();
    for (String sql :
        new String[] {
          "SELECT job_id FROM millpond.job_outcome WHERE job_id = ANY(?) AND job_id BETWEEN ? AND"
              + " ?",
          "SELECT job_id FROM millpond.dead_letter WHERE job_id = ANY(?) AND job_id BETWEEN ? AND ?"
        }) {
      read(sql, ids, row -> ended.add(row.getObject(1, UUID.class)));
    }
    return ended;
  }

  /** How these jobs ended; an id that is absent has not. */
  public Map<UUID, Ended> read(Collection<UUID> ids) {
    Map<UUID, Instant> created = new HashMap<>();
    read(
        """
        SELECT id, created_at FROM millpond.job WHERE id = ANY(?) AND id BETWEEN ? AND ?
        """,
        ids,
        row -> created.put(row.getObject(1, UUID.class), instant(row, 2)));
    Map<UUID, Ended> ended = new HashMap<>();
    read(
        """
        SELECT job_id, outcome, attempt, started_at, ended_at, result, lease_token
        FROM millpond.job_outcome WHERE job_id = ANY(?) AND job_id BETWEEN ? AND ?
        """,
        ids,
        row -> {
          UUID id = row.getObject(1, UUID.class);
          put(ended, created, row, new Text(id, row.getString(2), row.getString(6), null));
        });
    read(
        """
        SELECT job_id, 'dead', attempts, NULL::timestamptz, dead_at,
          error_type || coalesce(': ' || error_message, ''), 0
        FROM millpond.dead_letter WHERE job_id = ANY(?) AND job_id BETWEEN ? AND ?
        """,
        ids,
        row -> {
          UUID id = row.getObject(1, UUID.class);
          put(ended, created, row, new Text(id, row.getString(2), null, row.getString(6)));
        });
    return ended;
  }

  private record Text(UUID id, String outcome, @Nullable String result, @Nullable String error) {}

  private static void put(
      Map<UUID, Ended> ended, Map<UUID, Instant> created, ResultSet row, Text text)
      throws SQLException {
    Instant createdAt = created.get(text.id());
    Instant endedAt = instant(row, 5);
    if (createdAt == null || endedAt == null) {
      return; // An outcome without its job counts as missing.
    }
    ended.put(
        text.id(),
        new Ended(
            text.id(),
            text.outcome(),
            row.getInt(3),
            row.getInt(7),
            createdAt,
            instant(row, 4),
            endedAt,
            text.result(),
            text.error()));
  }

  /** Takes one row. */
  @FunctionalInterface
  private interface RowReader {
    void row(ResultSet row) throws SQLException;
  }

  private void read(String sql, Collection<UUID> ids, RowReader reader) {
    if (ids.isEmpty()) {
      return;
    }
    if (ids.size() > IDS_MAX) {
      throw new IllegalArgumentException("at most " + IDS_MAX + " ids, got " + ids.size());
    }
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      statement.setArray(1, connection.createArrayOf("uuid", ids.toArray()));
      // The bounds let PostgreSQL leave out the partitions of other days.
      statement.setObject(2, Collections.min(ids, RunOutcomes::compareUnsigned));
      statement.setObject(3, Collections.max(ids, RunOutcomes::compareUnsigned));
      try (ResultSet row = statement.executeQuery()) {
        while (row.next()) {
          reader.row(row);
        }
      }
    } catch (SQLException e) {
      throw lost(e);
    }
  }

  private static UnavailableException lost(SQLException e) {
    return new UnavailableException("Cannot read outcomes: " + e.getMessage(), false, e);
  }

  /** PostgreSQL's order of UUIDs; Java's own compares signed numbers. */
  private static int compareUnsigned(UUID a, UUID b) {
    int high = Long.compareUnsigned(a.getMostSignificantBits(), b.getMostSignificantBits());
    return high != 0
        ? high
        : Long.compareUnsigned(a.getLeastSignificantBits(), b.getLeastSignificantBits());
  }

  private static @Nullable Instant instant(ResultSet row, int column) throws SQLException {
    Timestamp value = row.getTimestamp(column);
    return value == null ? null : value.toInstant();
  }

  @Override
  public void close() {
    try {
      connection.close();
    } catch (SQLException e) {
      throw lost(e);
    }
  }
}
