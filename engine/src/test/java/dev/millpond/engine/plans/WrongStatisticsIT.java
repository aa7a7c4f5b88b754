package dev.millpond.engine.plans;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariDataSource;
import dev.millpond.engine.Database;
import dev.millpond.engine.Fleet;
import dev.millpond.engine.lifecycle.store.Pg;
import dev.millpond.engine.maintenance.store.ExpiryStore;
import dev.millpond.engine.maintenance.store.ReaperStore;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Statements that take the first rows of a few keep to their index although the planner believes
 * that most rows are theirs: it would walk another index, past the whole backlog of others.
 */
class WrongStatisticsIT {
  private static final int ROWS = 20_000;

  /** What one page of a look may touch. */
  private static final long FEW = 1_000;

  private static Database database;

  @BeforeAll
  static void open() {
    database = Database.fresh();
  }

  @AfterAll
  static void shut() {
    Fleet.assertBooksClean(database);
    database.close();
  }

  /** Rows of a table that this transaction has touched so far. */
  private static long touched(Connection tx, String table) throws SQLException {
    String sql =
        """
        SELECT coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0)
        FROM pg_stat_xact_user_tables WHERE schemaname = 'millpond' AND relname = '%s'
        """
            .formatted(table);
    try (Statement statement = tx.createStatement();
        ResultSet row = statement.executeQuery(sql)) {
      row.next();
      return row.getLong(1);
    }
  }

  private interface Steps {
    void run(Connection tx) throws SQLException;
  }

  /** Rows of a table that the steps touch, in a transaction that leaves nothing. */
  private static long touchedBy(String table, String fill, Steps steps) throws SQLException {
    try (HikariDataSource pool = Pg.pool(database.url(), "wrong-statistics", 1);
        Connection tx = pool.getConnection()) {
      tx.setAutoCommit(false);
      try (Statement statement = tx.createStatement()) {
        statement.execute(fill);
      }
      long before = touched(tx, table);
      steps.run(tx);
      long touched = touched(tx, table) - before;
      tx.rollback();
      return touched;
    }
  }

  @Test
  void theReaperSeesNoScheduledJobsWhereAllAreSaidToRun() throws SQLException {
    String fill =
        """
        INSERT INTO millpond.job_state (job_id, queue, class, kind, phase, lease_token, attempt,
                                        session, started_at, seen_at, deadline)
        SELECT millpond.uuid_floor(now() + n * interval '1 ms'), 'default', 'normal', 'noop',
               'running', 1, 1, gen_random_uuid(), now(), now(), now() + interval '1 hour'
        FROM generate_series(1, %1$d) AS n;
        ANALYZE millpond.job_state;
        DELETE FROM millpond.job_state;
        INSERT INTO millpond.job_state (job_id, queue, class, kind, phase, lease_token, attempt,
                                        run_at)
        SELECT millpond.uuid_floor(now() + n * interval '1 ms'), 'default', 'normal', 'noop',
               'scheduled', 1, 1, now() + interval '1 hour'
        FROM generate_series(1, %1$d) AS n
        """
            .formatted(ROWS);
    assertThat(
            touchedBy(
                "job_state",
                fill,
                tx ->
                    assertThat(
                            ReaperStore.running(
                                    tx, Duration.ZERO, Map.of(), Duration.ofHours(1), 500)
                                .toRescue())
                        .isEmpty()))
        .isLessThan(FEW);
  }

  @Test
  void theExpirerSeesNoBatchesOfOthersWhereAllAreSaidToBeOfItsKind() throws SQLException {
    String fill =
        """
        INSERT INTO millpond.job (id, queue, class, kind, payload)
        VALUES (millpond.uuid_floor(now()), 'default', 'normal', 'noop', '1');
        INSERT INTO millpond.job_expiry (job_id, expires_at, look_at)
        VALUES (millpond.uuid_floor(now()), now(), now());
        INSERT INTO millpond.dispatch (id, queue, class, kind, shard, direct, job_ids)
        SELECT millpond.uuid_floor(now() + n * interval '1 ms'), 'default', 'normal', 'noop', 0,
               false, ARRAY[gen_random_uuid()]
        FROM generate_series(1, %d) AS n;
        ANALYZE millpond.dispatch;
        UPDATE millpond.dispatch SET kind = 'other'
        """
            .formatted(ROWS);
    assertThat(
            touchedBy(
                "dispatch",
                fill,
                tx ->
                    assertThat(ExpiryStore.expire(tx, 100, Duration.ofMinutes(1)).left()).isOne()))
        .isLessThan(FEW);
  }
}
