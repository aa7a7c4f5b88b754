package dev.millpond.engine.maintenance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariDataSource;
import dev.millpond.engine.Database;
import dev.millpond.engine.Fleet;
import dev.millpond.engine.lifecycle.store.Pg;
import dev.millpond.engine.lifecycle.store.Transactions;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** One leader at a time, and a former one writes nothing. */
class LeadershipIT {
  private static final Duration LEASE = Duration.ofMinutes(1);

  private static Database database;
  private Transactions transactions;
  private Leadership first;
  private Leadership second;

  @BeforeAll
  static void open() {
    database = Database.fresh();
  }

  @AfterAll
  static void shut() {
    database.close();
  }

  @BeforeEach
  void start() {
    database.empty();
    transactions = new Transactions(Pg.pool(database.url(), "leaders", 4));
    first = new Leadership(transactions, UUID.randomUUID(), LEASE);
    second = new Leadership(transactions, UUID.randomUUID(), LEASE);
  }

  @AfterEach
  void stop() {
    transactions.close();
    Fleet.assertBooksClean(database);
  }

  private static void theLeaseEnds() {
    database.update("UPDATE millpond.leader SET expires_at = now() - interval '1 second'");
  }

  @Test
  void theSecondCandidateWaitsForTheEndOfTheLeaseAndTheEpochGrows() {
    first.runOnce();
    second.runOnce();
    assertThat(first.held()).isTrue();
    assertThat(second.held()).isFalse();
    long epoch = first.epoch();
    first.runOnce();
    assertThat(first.epoch()).as("renewed").isEqualTo(epoch);
    theLeaseEnds();
    second.runOnce();
    assertThat(second.held()).isTrue();
    assertThat(second.epoch()).isEqualTo(epoch + 1);
    first.runOnce();
    assertThat(first.held()).isFalse();
  }

  @Test
  void aLeaderThatWasAsleepWritesNothing() {
    first.runOnce();
    theLeaseEnds();
    second.runOnce();
    assertThat(second.held()).isTrue();
    assertThat(first.held()).as("it does not know yet").isTrue();
    assertThatThrownBy(() -> first.call(tx -> Database.update(tx, WRITE)))
        .isInstanceOf(Leadership.LostException.class);
    assertThat(first.held()).isFalse();
    assertThat(database.number("SELECT count(*) FROM millpond.setting")).isZero();
    int written = second.call(tx -> Database.update(tx, WRITE));
    assertThat(written).isEqualTo(1);
  }

  private static final String WRITE = "INSERT INTO millpond.setting (key, value) VALUES ('a', 'b')";

  @Test
  void noChangeOfHandsHappensInTheMiddleOfALeadersTransaction() {
    first.runOnce();
    theLeaseEnds();
    first.call(tx -> {
      boolean waits =
          database.number(
                  "SELECT count(*) FROM (SELECT FROM millpond.leader FOR UPDATE SKIP LOCKED) AS l")
              == 0;
      assertThat(waits).isTrue();
      return true;
    });
    second.runOnce();
    assertThat(second.held()).isTrue();
  }

  @Test
  void whoGivesUpIsFollowedAtOnce() {
    first.runOnce();
    first.giveUp();
    assertThat(first.held()).isFalse();
    second.runOnce();
    assertThat(second.held()).isTrue();
    assertThatThrownBy(() -> first.call(tx -> Database.update(tx, WRITE)))
        .isInstanceOf(Leadership.LostException.class);
  }

  /** Where a statement has three seconds. */
  @Test
  void whatTakesTooLongToBePromptIsDoneWithMoreTime() {
    Duration lease = Duration.ofSeconds(8);
    try (HikariDataSource pool = Pg.prompt(database.url(), lease, 1)) {
      Leadership prompt = first.promptly(new Transactions(pool), Pg.promptAnswer(lease));
      prompt.runOnce();
      assertThat(prompt.call(LeadershipIT::time)).isEqualTo("3s");
      int written =
          prompt.call(tx -> {
            try (Statement statement = tx.createStatement()) {
              statement.execute(WRITE);
              return statement.executeUpdate(
                  "UPDATE millpond.setting SET value = pg_sleep(3.5)::text");
            }
          });
      assertThat(written).isEqualTo(1);
      assertThat(prompt.call(LeadershipIT::time)).as("for a while").isEqualTo("12s");
      assertThat(prompt.read(LeadershipIT::time)).as("for a while").isEqualTo("12s");
      Leadership other = first.promptly(new Transactions(pool), Pg.promptAnswer(lease));
      assertThat(other.call(LeadershipIT::time)).as("another role").isEqualTo("3s");
      assertThat(other.read(LeadershipIT::time)).as("another role").isEqualTo("3s");
    }
  }

  private static String time(Connection tx) throws SQLException {
    try (Statement statement = tx.createStatement();
        ResultSet row = statement.executeQuery("SHOW statement_timeout")) {
      row.next();
      return row.getString(1);
    }
  }

  @Test
  void doubtStopsTheWorkUntilTheLeaseIsRenewed() {
    first.runOnce();
    first.doubt();
    assertThatThrownBy(() -> first.call(tx -> Database.update(tx, WRITE)))
        .isInstanceOf(Leadership.LostException.class);
    first.runOnce();
    int written = first.call(tx -> Database.update(tx, WRITE));
    assertThat(written).isEqualTo(1);
  }
}
