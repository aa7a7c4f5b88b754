package dev.millpond.engine.query.store;

import dev.millpond.engine.lifecycle.store.JobTables;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;

/**
 * What a transaction that only reads begins with: a drop of partitions comes before or after it.
 */
public final class Snapshot {
  private static final String READ =
      "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY;" + JobTables.HOLD;

  private Snapshot() {}

  /** One snapshot for all statements. */
  public static void begin(Connection tx) throws SQLException {
    execute(tx, READ);
  }

  /**
   * One snapshot for the statements of a scan, each of which must end in time. They go along the
   * indexes that give their order and read no further than they must, which a bitmap of another
   * index would; with plans made for their values, as one for any value would open all partitions.
   */
  public static void beginScan(Connection tx, long timeoutMillis) throws SQLException {
    execute(
        tx,
        READ
            + "; SET LOCAL statement_timeout = "
            + timeoutMillis
            + "; SET LOCAL plan_cache_mode = force_custom_plan; SET LOCAL enable_seqscan = off"
            + "; SET LOCAL enable_bitmapscan = off; SET LOCAL max_parallel_workers_per_gather = 0");
  }

  private static void execute(Connection tx, String sql) throws SQLException {
    try (Statement statement = tx.createStatement()) {
      statement.execute(sql);
    }
  }
}
