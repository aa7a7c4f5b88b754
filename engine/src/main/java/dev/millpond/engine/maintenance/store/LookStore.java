package dev.millpond.engine.maintenance.store;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;

/** What the roles of a leader find when nothing is to be done: one statement that only reads. */
public final class LookStore {
  /**
   * Ordered as an index is, so that no plan reads a table: EXISTS would forget the order. The
   * parameter keeps it from walking over rows that are gone, but that a snapshot pinned by somebody
   * else keeps in the index.
   */
  private static final String LOOK =
      """
      SELECT (SELECT ceil(extract(epoch FROM run_at - now()) * 1000) FROM millpond.job_state
              WHERE phase = 'scheduled' ORDER BY run_at LIMIT 1),
             (SELECT true FROM millpond.dispatch
              WHERE id >= millpond.uuid_floor(now() - ? * interval '1 millisecond')
              ORDER BY id LIMIT 1),
             CASE WHEN ? THEN (SELECT true FROM millpond.job_expiry ORDER BY look_at LIMIT 1) END
      """;

  /** A full look goes back further than any id. */
  private static final Duration FULL = Duration.ofDays(20 * 365);

  /** Otherwise it sees what has been made lately. */
  private static final Duration LATELY = Duration.ofSeconds(10);

  private LookStore() {}

  /**
   * Whether there may be something to do.
   *
   * @param dueInMillis until the first scheduled job is due, 0 or less when one is; {@link #NEVER}
   * @param onTheirWay dispatch rows of whatever state
   * @param expiring jobs with an expiry
   */
  public record Look(long dueInMillis, boolean onTheirWay, boolean expiring) {
    /** Nothing is scheduled. */
    public static final long NEVER = Long.MAX_VALUE;

    /** Nothing is known: every role sees for itself. */
    public static final Look UNKNOWN = new Look(0, true, true);

    /** Whether there are scheduled jobs whose time has come. */
    public boolean due() {
      return dueInMillis <= 0;
    }
  }

  /**
   * Looks once.
   *
   * @param full whether at everything; otherwise older dispatch rows and all expiries are passed
   *     over, as if there were none
   */
  public static Look look(Connection connection, boolean full) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(LOOK)) {
      statement.setLong(1, (full ? FULL : LATELY).toMillis());
      statement.setBoolean(2, full);
      try (ResultSet row = statement.executeQuery()) {
        row.next();
        long dueInMillis = row.getLong(1);
        return new Look(
            row.wasNull() ? Look.NEVER : dueInMillis, row.getBoolean(2), row.getBoolean(3));
      }
    }
  }
}
