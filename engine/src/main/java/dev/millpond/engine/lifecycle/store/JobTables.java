package dev.millpond.engine.lifecycle.store;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;

/**
 * The tables whose partitions come and go. A drop locks them against everybody, in the order of
 * {@link #HOLD}: so does whoever touches more than one in a transaction, or holds all of them
 * first. Otherwise the two wait for each other.
 */
public final class JobTables {
  /**
   * The first statement of a transaction that reads them in one snapshot. It takes no snapshot, so
   * the one to come sees what a drop of partitions has moved: without it, a reader that waited for
   * the drop would look for the survivors where they no longer are.
   */
  public static final String HOLD =
      """
      LOCK TABLE ONLY millpond.job, ONLY millpond.job_outcome, ONLY millpond.job_attempt,
                 ONLY millpond.job_log IN ACCESS SHARE MODE
      """;

  private JobTables() {}

  /** Holds all of them until the transaction ends: a drop comes before it or after it. */
  public static void hold(Connection tx) throws SQLException {
    try (Statement statement = tx.createStatement()) {
      statement.execute(HOLD);
    }
  }
}
