package dev.millpond.faults;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.millpond.embedded.TestServers;
import java.io.StringReader;
import java.io.StringWriter;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyManager;

/** Faults at one statement of a real PostgreSQL. */
class PostgresFaultIT {

  private static final Duration SOON = Duration.ofSeconds(5);

  private final String url = TestServers.get().freshDatabase();
  private final FaultProxy proxy = FaultProxy.postgres(url);
  private final Connection aside = DriverManager.getConnection(url);
  private final Connection connection = DriverManager.getConnection(proxy.url());

  PostgresFaultIT() throws SQLException {
    update(aside, "CREATE TABLE note (text text)");
  }

  @AfterEach
  void close() throws SQLException {
    connection.close();
    aside.close();
    proxy.close();
  }

  private static boolean isInsert(Exchange exchange) {
    return exchange.asks("INSERT INTO note");
  }

  private static void update(Connection on, String sql) throws SQLException {
    try (Statement statement = on.createStatement()) {
      statement.execute(sql);
    }
  }

  private long number(String query) {
    try (Statement statement = aside.createStatement();
        ResultSet row = statement.executeQuery(query)) {
      row.next();
      return row.getLong(1);
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  private long notes() {
    return number("SELECT count(*) FROM note");
  }

  private long otherBackends() {
    return number(
        """
        SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
        """);
  }

  private void insertInTransaction() throws SQLException {
    connection.setAutoCommit(false);
    update(connection, "INSERT INTO note VALUES ('a')");
    connection.commit();
  }

  @Test
  void aCommitOfWhichTheAnswerIsLostIsCommitted() throws Exception {
    Fault lost =
        proxy.add(Fault.next(Step.COMMIT, Moment.UNANSWERED, Fault.Action.end(Ending.RESET)));
    assertThatThrownBy(this::insertInTransaction).isInstanceOf(SQLException.class);
    assertThat(lost.awaitStruck(SOON)).isTrue();
    assertThat(notes()).isEqualTo(1);
  }

  @Test
  void aCommitThatIsNotSentIsRolledBackWhenTheConnectionEnds() throws Exception {
    proxy.add(Fault.next(Step.COMMIT, Moment.UNSENT, Fault.Action.end(Ending.CLOSED)));
    assertThatThrownBy(this::insertInTransaction).isInstanceOf(SQLException.class);
    await().until(() -> otherBackends() == 0);
    assertThat(notes()).isZero();
  }

  @Test
  void aServerThatDoesNotNoticeKeepsWhatIsUncommittedOpen() throws Exception {
    // Later than it is written: what the server may have must have got there all the same.
    proxy.toServer(Way.CLEAR.withLatency(Duration.ofMillis(20), Duration.ZERO));
    proxy.add(
        Fault.next(
            PostgresFaultIT::isInsert, Moment.UNCOMMITTED, Fault.Action.end(Ending.UNNOTICED)));
    assertThatThrownBy(() -> update(connection, "INSERT INTO note VALUES ('a')"))
        .isInstanceOf(SQLException.class);
    await()
        .until(() ->
            number(
                    """
                    SELECT count(*) FROM pg_locks
                    WHERE relation = 'note'::regclass AND mode = 'RowExclusiveLock' AND granted
                    """)
                == 1);
    assertThat(notes()).isZero();
    assertThat(
            number(
                "SELECT count(*) FROM (SELECT pg_terminate_backend(pid) FROM pg_locks"
                    + " WHERE relation = 'note'::regclass) ended"))
        .isEqualTo(1);
    await().until(() -> otherBackends() == 0 && proxy.links() == 0);
  }

  @Test
  void aHalfOpenConnectionIsNoticedByTheClientsOwnTimeoutOnly() throws Exception {
    connection.setNetworkTimeout(Runnable::run, 300);
    proxy.add(
        Fault.next(
            PostgresFaultIT::isInsert, Moment.UNANSWERED, Fault.Action.end(Ending.HALF_OPEN)));
    assertThatThrownBy(() -> update(connection, "INSERT INTO note VALUES ('a')"))
        .isInstanceOf(SQLException.class);
    assertThat(notes()).isEqualTo(1);
    assertThat(otherBackends()).isEqualTo(1);
  }

  @Test
  void theNthRequestIsStruckAndNoOther() throws Exception {
    Fault second =
        proxy.add(
            new Fault(PostgresFaultIT::isInsert, 2, Moment.UNSENT, Fault.Action.end(Ending.RESET)));
    Fault all = proxy.add(Fault.none(PostgresFaultIT::isInsert));
    update(connection, "INSERT INTO note VALUES ('a')");
    assertThat(second.struck()).isFalse();
    assertThatThrownBy(() -> update(connection, "INSERT INTO note VALUES ('b')"))
        .isInstanceOf(SQLException.class);
    assertThat(second.awaitStruck(SOON)).isTrue();
    assertThat(all.seen()).isEqualTo(1);
    assertThat(notes()).isEqualTo(1);
  }

  @Test
  void longAnswersCopiesAndNotificationsPass() throws Exception {
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery("SELECT repeat('x', 3000000), repeat('y', 10)")) {
      row.next();
      assertThat(row.getString(1)).hasSize(3_000_000);
      assertThat(row.getString(2)).hasSize(10);
    }
    CopyManager copies = connection.unwrap(PGConnection.class).getCopyAPI();
    String lines = "some text\n".repeat(100_000);
    assertThat(copies.copyIn("COPY note FROM STDIN", new StringReader(lines))).isEqualTo(100_000);
    StringWriter out = new StringWriter();
    copies.copyOut("COPY note TO STDOUT", out);
    assertThat(out.toString()).isEqualTo(lines);
    update(connection, "LISTEN news");
    update(aside, "NOTIFY news");
    assertThat(connection.unwrap(PGConnection.class).getNotifications(5_000)).hasSize(1);
  }

  @Test
  void statementsThatAreCancelledOrSlowAreThoseOfADirectConnection() throws Exception {
    proxy.bothWays(
        Way.CLEAR
            .withLatency(Duration.ofMillis(2), Duration.ofMillis(5))
            .withSlices(7, Duration.ofNanos(1)));
    try (Statement statement = connection.createStatement()) {
      statement.setQueryTimeout(1);
      assertThatThrownBy(() -> statement.execute("SELECT pg_sleep(30)"))
          .isInstanceOf(SQLException.class)
          .hasMessageContaining("cancel");
    }
    update(connection, "INSERT INTO note VALUES ('a')");
    assertThat(notes()).isEqualTo(1);
  }
}
