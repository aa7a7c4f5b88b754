package dev.millpond.engine.worker.store;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.engine.Database;
import dev.millpond.engine.lifecycle.store.Pg;
import dev.millpond.engine.lifecycle.store.Transactions;
import dev.millpond.engine.worker.store.SessionStore.Opening;
import dev.millpond.engine.worker.store.SessionStore.Sign;
import dev.millpond.engine.worker.store.SessionStore.Standing;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Whose clock leases are measured by, and what a sign of life renews (rule R9). */
class SessionStoreIT {
  private final UUID session = UUID.randomUUID();
  private Database database;
  private Transactions transactions;

  @BeforeEach
  void start() {
    database = Database.fresh();
    transactions = new Transactions(Pg.pool(database.url(), "session-store-it", 1));
    boolean opened =
        transactions.call(tx -> {
          SessionStore.open(
              tx,
              new Opening(
                  session,
                  session,
                  "a",
                  1,
                  List.of("noop"),
                  1,
                  Duration.ofMinutes(1),
                  List.of(),
                  null));
          return true;
        });
    assertThat(opened).isTrue();
  }

  @AfterEach
  void stop() {
    transactions.close();
    database.close();
  }

  /** Two clocks never agree to the microsecond. */
  @Test
  void aBeatIsMeasuredByTheClockOfTheDatabase() {
    boolean itsNow =
        transactions.call(tx -> {
          assertThat(SessionStore.beat(tx, session, Standing.TAKING)).isTrue();
          return isTrue(
              tx, "SELECT beat_at = now() FROM millpond.worker WHERE session = ?", session);
        });
    assertThat(itsNow).as("beat_at is now() of its transaction").isTrue();
  }

  @Test
  void aSignOfLifeRenewsWhenItsJobWasSeen() {
    UUID job = UUID.randomUUID();
    database.update(
        """
        INSERT INTO millpond.job_state (job_id, queue, class, kind, phase, lease_token, attempt,
                                        session, started_at, seen_at, deadline)
        VALUES (?, 'default', 'normal', 'noop', 'running', 1, 1, ?, now() - interval '1 minute',
                now() - interval '1 minute', now() + interval '1 hour')
        """,
        job,
        session);
    boolean itsNow =
        transactions.call(tx -> {
          Sign sign = new Sign(job, 1, null, null);
          assertThat(SessionStore.refresh(tx, session, List.of(sign)))
              .isEqualTo(Map.of(job, false));
          return isTrue(tx, "SELECT seen_at = now() FROM millpond.job_state WHERE job_id = ?", job);
        });
    assertThat(itsNow).as("seen_at is now() of its transaction").isTrue();
  }

  private static boolean isTrue(Connection tx, String sql, UUID id) throws SQLException {
    try (PreparedStatement statement = tx.prepareStatement(sql)) {
      statement.setObject(1, id);
      try (ResultSet row = statement.executeQuery()) {
        return row.next() && row.getBoolean(1);
      }
    }
  }
}
