package dev.millpond.server.doctor.store;

import dev.millpond.server.doctor.Finding;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import org.postgresql.PGConnection;

/** What goes on in PostgreSQL now: connections, old transactions, poolers, its clock. */
public final class SessionCheck {
  /** Share of the connections in use from which it is said, in percent. */
  private static final int CONNECTIONS_WARNED = 80;

  private static final Duration IDLE_IN_TRANSACTION_SAID = Duration.ofMinutes(5);
  private static final Duration TRANSACTION_SAID = Duration.ofMinutes(15);
  private static final Duration CLOCK_WARNED = Duration.ofSeconds(1);

  /** A process whose clock is further off refuses to start. */
  private static final Duration CLOCK_REFUSED = Duration.ofMinutes(5);

  private static final int CLOCK_SAMPLES = 5;
  private static final int SHOWN = 3;

  private SessionCheck() {}

  static List<Finding> run(Connection connection, String pgUrl) {
    List<Finding> findings = new ArrayList<>();
    findings.addAll(Question.ask(connection, "postgres.connections", SessionCheck::connections));
    findings.addAll(Question.ask(connection, "postgres.transactions", SessionCheck::transactions));
    findings.addAll(Question.ask(connection, "postgres.pooler", session -> pooler(session, pgUrl)));
    findings.addAll(Question.ask(connection, "postgres.clock", SessionCheck::clock));
    return findings;
  }

  private static List<Finding> connections(Connection connection) throws SQLException {
    String sql =
        """
        SELECT (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),
               current_setting('max_connections')::int
                   - current_setting('superuser_reserved_connections')::int
        """;
    long[] counts =
        Question.rows(connection, sql, row -> new long[] {row.getLong(1), row.getLong(2)})
            .getFirst();
    String found = counts[0] + " of " + counts[1] + " in use";
    return List.of(
        counts[0] * 100 < counts[1] * CONNECTIONS_WARNED
            ? Finding.ok("postgres.connections", found)
            : Finding.warning(
                "postgres.connections",
                found,
                "a process that cannot connect neither submits nor runs jobs; see"
                    + " fleet.connections",
                "psql -c \"ALTER SYSTEM SET max_connections = 200\" and restart PostgreSQL"));
  }

  /** Whatever holds an old snapshot keeps dead rows from being cleared. */
  private static List<Finding> transactions(Connection connection) throws SQLException {
    String sql =
        """
        SELECT pid, state, coalesce(application_name, ''), extract(epoch FROM now() - xact_start)::bigint
        FROM pg_stat_activity
        WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'
          AND ((state LIKE 'idle in transaction%' AND state_change < now() - ? * interval '1 second')
               OR xact_start < now() - ? * interval '1 second')
        ORDER BY xact_start LIMIT ?
        """;
    List<Finding> findings =
        new ArrayList<>(
            Question.rows(
                connection,
                sql,
                row -> {
                  String pid = row.getString(1);
                  return Finding.warning(
                      "postgres.transactions",
                      "process %s (%s) has a transaction open for %s, %s"
                          .formatted(
                              pid,
                              row.getString(3),
                              Duration.ofSeconds(row.getLong(4)),
                              row.getString(2)),
                      "rows that ended since then cannot be cleared; the queue slows down",
                      "psql -c \"SELECT pg_terminate_backend(" + pid + ")\"");
                },
                IDLE_IN_TRANSACTION_SAID.toSeconds(),
                TRANSACTION_SAID.toSeconds(),
                SHOWN));
    findings.addAll(
        Question.rows(
            connection,
            "SELECT quote_literal(gid) FROM pg_prepared_xacts WHERE prepared < now() - ? * interval"
                + " '1 second' LIMIT ?",
            row ->
                Finding.warning(
                    "postgres.transactions",
                    "prepared transaction " + row.getString(1) + " is old",
                    "rows that ended since then cannot be cleared",
                    "psql -c \"ROLLBACK PREPARED " + row.getString(1) + "\" in its database"),
            TRANSACTION_SAID.toSeconds(),
            SHOWN));
    findings.addAll(
        Question.rows(
            connection,
            "SELECT slot_name FROM pg_replication_slots WHERE NOT active LIMIT ?",
            row ->
                Finding.warning(
                    "postgres.transactions",
                    "replication slot " + row.getString(1) + " has no reader",
                    "the log is kept until the disk is full",
                    "psql -c \"SELECT pg_drop_replication_slot('" + row.getString(1) + "')\""),
            SHOWN));
    return findings.isEmpty()
        ? List.of(Finding.ok("postgres.transactions", "none is old"))
        : findings;
  }

  /**
   * Behind a pooler the process id that the driver was told is not the backend's. In transaction
   * mode a session is given to another backend between two transactions: one is kept busy by a
   * second session, and the first asked again.
   */
  private static List<Finding> pooler(Connection connection, String pgUrl) throws SQLException {
    int told = connection.unwrap(PGConnection.class).getBackendPID();
    long first = backend(connection);
    if (told == first) {
      return List.of(Finding.ok("postgres.pooler", "none"));
    }
    boolean moves = false;
    try (Connection second = Question.connect(pgUrl)) {
      connection.setAutoCommit(false);
      first = backend(connection);
      backend(second);
      connection.commit();
      connection.setAutoCommit(true);
      second.setAutoCommit(false);
      backend(second);
      moves = backend(connection) != first;
      second.rollback();
    } finally {
      connection.setAutoCommit(true);
    }
    return List.of(
        moves
            ? Finding.error(
                "postgres.pooler",
                "one in transaction mode",
                "settings and prepared statements of a session are lost between transactions",
                "Set pool_mode = session for this database, or name PostgreSQL itself in"
                    + " millpond.pg.url")
            : Finding.warning(
                "postgres.pooler",
                "one that keeps sessions together",
                "it has to stay in session mode, and its limits count for Millpond's connections",
                "Name PostgreSQL itself in millpond.pg.url: Millpond pools its connections"));
  }

  private static long backend(Connection connection) throws SQLException {
    return Question.number(connection, "SELECT pg_backend_pid()");
  }

  private static List<Finding> clock(Connection connection) throws SQLException {
    Duration ahead = databaseAhead(connection);
    String found =
        ahead.abs().toMillis()
            + " ms "
            + (ahead.isNegative() ? "behind" : "ahead of")
            + " this machine's clock";
    if (ahead.abs().compareTo(CLOCK_WARNED) < 0) {
      return List.of(Finding.ok("postgres.clock", found));
    }
    String remedy = "timedatectl set-ntp true, on this machine and on PostgreSQL's";
    return List.of(
        ahead.abs().compareTo(CLOCK_REFUSED) < 0
            ? Finding.warning(
                "postgres.clock",
                found,
                "leases go by the database's clock, but times in logs do not compare",
                remedy)
            : Finding.error(
                "postgres.clock", found, "Millpond refuses to start beyond 5 minutes", remedy));
  }

  /** How far the database's clock is ahead of this machine's. Zero when it cannot be asked. */
  public static Duration databaseAhead(String pgUrl) {
    try (Connection connection = Question.connect(pgUrl)) {
      return databaseAhead(connection);
    } catch (SQLException e) {
      return Duration.ZERO;
    }
  }

  /** The sample with the shortest way there and back is the best. */
  private static Duration databaseAhead(Connection connection) throws SQLException {
    Duration best = Duration.ZERO;
    long shortest = Long.MAX_VALUE;
    for (int i = 0; i < CLOCK_SAMPLES; i++) {
      Instant before = Instant.now();
      long start = System.nanoTime();
      Instant database =
          Question.rows(
                  connection,
                  "SELECT clock_timestamp()",
                  row -> row.getObject(1, OffsetDateTime.class).toInstant())
              .getFirst();
      long nanos = System.nanoTime() - start;
      if (nanos < shortest) {
        shortest = nanos;
        best = Duration.between(before.plusNanos(nanos / 2), database);
      }
    }
    return best;
  }
}
