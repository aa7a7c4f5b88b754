package dev.millpond.chaos.store;

import dev.millpond.chaos.work.Payment;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Asks PostgreSQL directly, past whatever stands between it and the fleet; a connection for each
 * question, since faults take them away. Thread-safe.
 */
public final class Tables {
  /** Jobs on the way that are named; more are not needed to see how soon they run again. */
  private static final int WAY_MOST = 2_000;

  private static final int FETCH = 5_000;

  private static final String WAY =
      """
      SELECT id, sum(count(*)) OVER () FROM (
        SELECT unnest(job_ids) AS id FROM millpond.dispatch
        WHERE (? AND sent_at IS NOT NULL) OR (? AND claimed_by IS NOT NULL)) AS way
      GROUP BY id LIMIT ?
      """;

  private static final String JOBS =
      """
      SELECT j.id, j.kind, j.payload, o.outcome, o.lease_token, o.attempt, o.result, o.ended_at,
        s.phase, d.reason
      FROM millpond.job j
      LEFT JOIN millpond.job_outcome o ON o.job_id = j.id
      LEFT JOIN millpond.job_state s ON s.job_id = j.id
      LEFT JOIN millpond.dead_letter d ON d.job_id = j.id
      """;

  private static final String OPEN =
      """
      SELECT count(*) FROM millpond.job j
      WHERE NOT EXISTS (SELECT FROM millpond.job_outcome o WHERE o.job_id = j.id)
        AND NOT EXISTS (SELECT FROM millpond.dead_letter d WHERE d.job_id = j.id)
      """;

  private static final String SCHEMA =
      """
      SELECT version FROM millpond.flyway_schema_history WHERE version IS NOT NULL
      ORDER BY installed_rank DESC LIMIT 1
      """;

  private static final String TERMINATE =
      """
      SELECT count(pg_terminate_backend(pid)) FROM (
        SELECT pid FROM pg_stat_activity
        WHERE datname = current_database() AND backend_type = 'client backend'
          AND pid <> pg_backend_pid() AND application_name <> ?
        ORDER BY hashint4(pid # ?)
        LIMIT (SELECT greatest(1, ceil(? * count(*)))::int FROM pg_stat_activity
               WHERE datname = current_database() AND backend_type = 'client backend'
                 AND pid <> pg_backend_pid() AND application_name <> ?)
      ) AS victims
      """;

  private static final String NAME = "millpond-chaos";

  private final String url;

  public Tables(String pgUrl) {
    this.url = pgUrl + "&ApplicationName=" + NAME + "&connectTimeout=5&socketTimeout=60";
  }

  /**
   * A job and what became of it.
   *
   * @param outcome null while it has not ended
   * @param token of the outcome; 0 without one
   * @param attempt of the outcome; 0 without one
   * @param result JSON text
   * @param phase of its state row, if it has one
   * @param deadReason of its dead letter, if it has one
   */
  public record JobRow(
      UUID id,
      String kind,
      String payload,
      @Nullable String outcome,
      int token,
      int attempt,
      @Nullable String result,
      @Nullable Instant endedAt,
      @Nullable String phase,
      @Nullable String deadReason) {}

  /** Makes the users' table, unless it is there. */
  public void prepare() throws SQLException {
    try (Connection connection = open();
        Statement statement = connection.createStatement()) {
      statement.execute(Payment.TABLE);
    }
  }

  /**
   * Jobs on their way.
   *
   * @param named some of them, or all when they are few
   * @param count of all
   */
  public record Way(Set<UUID> named, long count) {}

  /** Jobs in batches that are on a stream or claimed; none while PostgreSQL is away. */
  public Way onTheWay() {
    return way(true, true);
  }

  /** Jobs in batches that are on a stream; none while PostgreSQL is away. */
  public Way onStreams() {
    return way(true, false);
  }

  /** Jobs in batches that are claimed; none while PostgreSQL is away. */
  public Way claimed() {
    return way(false, true);
  }

  private Way way(boolean sent, boolean claimed) {
    Set<UUID> ids = new HashSet<>();
    long count = 0;
    try (Connection connection = open();
        PreparedStatement statement = connection.prepareStatement(WAY)) {
      statement.setBoolean(1, sent);
      statement.setBoolean(2, claimed);
      statement.setInt(3, WAY_MOST);
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          ids.add(rows.getObject(1, UUID.class));
          count = rows.getLong(2);
        }
      }
      return new Way(ids, Math.max(count, ids.size()));
    } catch (SQLException e) {
      return new Way(Set.of(), 0);
    }
  }

  /** Node id of the leader; null when there is none, or PostgreSQL is away. */
  public @Nullable String leader() {
    try (Connection connection = open();
        Statement statement = connection.createStatement();
        ResultSet row =
            statement.executeQuery(
                "SELECT holder::text FROM millpond.leader WHERE expires_at > now()")) {
      return row.next() ? row.getString(1) : null;
    } catch (SQLException e) {
      return null;
    }
  }

  /** Jobs that have died; 0 when PostgreSQL is away. */
  public long buried() {
    try (Connection connection = open();
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery("SELECT count(*) FROM millpond.dead_letter")) {
      row.next();
      return row.getLong(1);
    } catch (SQLException e) {
      return 0;
    }
  }

  /** The version of the schema. */
  public String schema() throws SQLException {
    try (Connection connection = open();
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(SCHEMA)) {
      row.next();
      return row.getString(1);
    }
  }

  /** Jobs that have neither ended nor died. */
  public long openJobs() throws SQLException {
    try (Connection connection = open();
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(OPEN)) {
      row.next();
      return row.getLong(1);
    }
  }

  /**
   * Ends connections of others; none when PostgreSQL is away.
   *
   * @param share of them, 0 to 1; one at least
   * @param salt decides which
   */
  public void terminate(double share, int salt) {
    try (Connection connection = open();
        PreparedStatement statement = connection.prepareStatement(TERMINATE)) {
      statement.setString(1, NAME);
      statement.setInt(2, salt);
      statement.setDouble(3, share);
      statement.setString(4, NAME);
      statement.execute();
    } catch (SQLException e) {
      return; // another fault has it: nothing is connected
    }
  }

  /** Whether PostgreSQL answers. */
  public boolean answers() {
    try (Connection connection = open();
        Statement statement = connection.createStatement()) {
      return statement.execute("SELECT 1");
    } catch (SQLException e) {
      return false;
    }
  }

  /** Has the next write go to a new file of PostgreSQL's log; nothing happens when it is away. */
  public void switchLog() {
    try (Connection connection = open();
        Statement statement = connection.createStatement()) {
      statement.execute("SELECT pg_switch_wal()");
    } catch (SQLException e) {
      return; // another fault has it
    }
  }

  /** Every job, in no order. */
  public void jobs(Consumer<JobRow> consumer) throws SQLException {
    try (Connection connection = open()) {
      connection.setAutoCommit(false);
      try (Statement statement = connection.createStatement()) {
        statement.setFetchSize(FETCH);
        try (ResultSet row = statement.executeQuery(JOBS)) {
          while (row.next()) {
            consumer.accept(job(row));
          }
        }
      }
    }
  }

  private static JobRow job(ResultSet row) throws SQLException {
    var endedAt = row.getTimestamp(8);
    return new JobRow(
        row.getObject(1, UUID.class),
        row.getString(2),
        row.getString(3),
        row.getString(4),
        row.getInt(5),
        row.getInt(6),
        row.getString(7),
        endedAt == null ? null : endedAt.toInstant(),
        row.getString(9),
        row.getString(10));
  }

  /** All that transactional completions wrote. */
  public List<Payment> payments() throws SQLException {
    List<Payment> payments = new ArrayList<>();
    try (Connection connection = open();
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(Payment.SELECT)) {
      while (row.next()) {
        payments.add(
            new Payment(
                row.getObject(1, UUID.class), row.getLong(2), row.getInt(3), row.getString(4)));
      }
    }
    return payments;
  }

  private Connection open() throws SQLException {
    return DriverManager.getConnection(url);
  }
}
