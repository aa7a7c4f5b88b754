package dev.millpond.engine.maintenance.store;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;

/** What the roles of a leader find when nothing is to be done: one statement that only reads. */
public final class LookStore {
  /** Ordered as an index is, so that no plan reads a table: EXISTS would forget the order. */
  private static final String LOOK =
      """
      SELECT (SELECT true FROM millpond.job_state WHERE phase = 'scheduled' AND run_at <= now()
              ORDER BY run_at LIMIT 1),
             (SELECT true FROM millpond.dispatch ORDER BY id LIMIT 1),
             (SELECT true FROM millpond.job_expiry ORDER BY look_at LIMIT 1)
      """;

  private LookStore() {}

  /**
   * Whether there may be something to do.
   *
   * @param due scheduled jobs whose time has come
   * @param onTheirWay dispatch rows of whatever state
   * @param expiring jobs with an expiry
   */
  public record Look(boolean due, boolean onTheirWay, boolean expiring) {
    /** Nothing is known: every role sees for itself. */
    public static final Look UNKNOWN = new Look(true, true, true);
  }

  public static Look look(Connection connection) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(LOOK);
        ResultSet row = statement.executeQuery()) {
      row.next();
      return new Look(row.getBoolean(1), row.getBoolean(2), row.getBoolean(3));
    }
  }
}
