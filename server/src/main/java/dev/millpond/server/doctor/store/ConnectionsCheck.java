package dev.millpond.server.doctor.store;

import dev.millpond.engine.MillpondConfig;
import dev.millpond.engine.Sizing;
import dev.millpond.server.doctor.Finding;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;

/** Whether all processes of the fleet can have all their connections at once. */
public final class ConnectionsCheck {
  /**
   * Each process has one connection of its hot lane. What others than Millpond use now stays in
   * use.
   */
  private static final String COUNTS =
      """
      SELECT count(*) FILTER (WHERE own AND application_name = 'millpond-hot-lane'),
             count(*) FILTER (WHERE NOT own OR application_name NOT LIKE 'millpond%'),
             current_setting('max_connections')::int
                 - current_setting('superuser_reserved_connections')::int
      FROM (SELECT application_name, datname = current_database() AS own
            FROM pg_stat_activity WHERE backend_type = 'client backend') AS a
      """;

  private ConnectionsCheck() {}

  public static List<Finding> run(MillpondConfig config) {
    try (Connection connection = Question.connect(config.pgUrl())) {
      return Question.ask(
          connection, "fleet.connections", session -> List.of(fit(session, config)));
    } catch (SQLException e) {
      return List.of(
          Finding.unreachable(
              "postgres", String.valueOf(e.getMessage()), "Check that PostgreSQL keeps running"));
    }
  }

  private static Finding fit(Connection connection, MillpondConfig config) throws SQLException {
    long[] counts =
        Question.rows(
                connection,
                COUNTS,
                row -> new long[] {row.getLong(1), row.getLong(2), row.getLong(3)})
            .getFirst();
    long each = Sizing.here().connectionsMost(config.redisUrls().size());
    long processes = counts[0];
    long room = counts[2] - counts[1];
    String found =
        "%d processes of up to %d connections, room for %d processes"
            .formatted(processes, each, room / each);
    if (processes * each > room) {
      return Finding.warning(
          "fleet.connections",
          found,
          "when all of them are busy some cannot connect",
          raise(processes * each + counts[1]));
    }
    return (processes + 1) * each > room
        ? Finding.info(
            "fleet.connections",
            found,
            "one more process may not find its connections",
            raise((processes + 1) * each + counts[1]))
        : Finding.ok("fleet.connections", found);
  }

  private static String raise(long needed) {
    long rounded = (needed / 100 + 1) * 100;
    return "psql -c \"ALTER SYSTEM SET max_connections = " + rounded + "\" and restart PostgreSQL";
  }
}
