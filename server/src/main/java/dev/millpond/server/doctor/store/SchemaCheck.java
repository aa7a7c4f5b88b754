package dev.millpond.server.doctor.store;

import dev.millpond.server.doctor.Finding;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** The schema: rights of the role in it, and its partitions. */
public final class SchemaCheck {
  /** Days from today on, without which new jobs land in the default partition. */
  private static final int DAYS_NEEDED = 2;

  /** Days that the leader makes ahead. */
  private static final int DAYS_AHEAD = 4;

  /** Rows of the default partition that are counted. */
  private static final int ROWS_COUNTED = 1_000;

  /** Days beyond the time that jobs are kept, after which a partition that is there is said. */
  private static final int DAYS_GRACE = 2;

  private static final int SHOWN = 5;

  private SchemaCheck() {}

  /** Whether this role may do its work; asked before the schema is used. */
  public static List<Finding> rights(String pgUrl) {
    return asked(pgUrl, "postgres.rights", SchemaCheck::rights);
  }

  /**
   * The partitions of a schema that is up to date.
   *
   * @param kept how long ended jobs are kept
   */
  public static List<Finding> partitions(String pgUrl, Duration kept) {
    return asked(pgUrl, "schema.partitions", connection -> partitions(connection, kept));
  }

  private static List<Finding> asked(String pgUrl, String check, Question.Part part) {
    try (Connection connection = Question.connect(pgUrl)) {
      return Question.ask(connection, check, part);
    } catch (SQLException e) {
      return List.of(
          Finding.unreachable(
              "postgres", String.valueOf(e.getMessage()), "Check that PostgreSQL keeps running"));
    }
  }

  private static List<Finding> rights(Connection connection) throws SQLException {
    String role =
        Question.rows(connection, "SELECT quote_ident(current_user)", r -> r.getString(1))
            .getFirst();
    boolean exists = Question.flag(connection, "SELECT to_regnamespace('millpond') IS NOT NULL");
    if (!exists) {
      return Question.flag(
              connection, "SELECT has_database_privilege(current_database(), 'CREATE')")
          ? List.of(Finding.ok("postgres.rights", "may create the schema"))
          : List.of(
              Finding.error(
                  "postgres.rights",
                  role + " may not create a schema here",
                  "millpond migrate would fail",
                  "psql -c \"GRANT CREATE ON DATABASE <database> TO " + role + "\""));
    }
    List<String> denied = denied(connection);
    if (!denied.isEmpty()) {
      return List.of(
          Finding.error(
              "postgres.rights",
              role + " may not read and write " + String.join(", ", denied),
              "submits and outcomes fail",
              ("psql -c \"GRANT USAGE ON SCHEMA millpond TO %1$s\" -c \"GRANT SELECT, INSERT,"
                      + " UPDATE, DELETE ON ALL TABLES IN SCHEMA millpond TO %1$s\"")
                  .formatted(role)));
    }
    boolean owns =
        Question.flag(
            connection,
            "SELECT coalesce(bool_and(pg_has_role(relowner, 'USAGE')), true) FROM pg_class WHERE"
                + " relnamespace = 'millpond'::regnamespace AND relkind = 'p'");
    boolean creates =
        Question.flag(connection, "SELECT has_schema_privilege('millpond', 'CREATE')");
    return owns && creates
        ? List.of(Finding.ok("postgres.rights", role + " owns the schema's tables"))
        : List.of(
            Finding.warning(
                "postgres.rights",
                role + " does not own the partitioned tables",
                "processes with the role maintenance make and drop partitions, which only the"
                    + " owner may; others need no more",
                "psql -c \"GRANT <owner of millpond.job> TO " + role + "\""));
  }

  private static List<String> denied(Connection connection) throws SQLException {
    if (!Question.flag(connection, "SELECT has_schema_privilege('millpond', 'USAGE')")) {
      return List.of("the schema millpond");
    }
    String sql =
        """
        SELECT relname FROM pg_class
        WHERE relnamespace = 'millpond'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
          AND relname <> 'flyway_schema_history'
          AND NOT (has_table_privilege(oid, 'SELECT') AND has_table_privilege(oid, 'INSERT')
                   AND has_table_privilege(oid, 'UPDATE') AND has_table_privilege(oid, 'DELETE'))
        ORDER BY relname LIMIT ?
        """;
    return Question.rows(connection, sql, row -> "millpond." + row.getString(1), SHOWN);
  }

  private static List<Finding> partitions(Connection connection, Duration kept)
      throws SQLException {
    long days = kept.toDays() + DAYS_GRACE;
    List<Finding> findings = new ArrayList<>();
    findings.add(days(connection));
    findings.add(defaults(connection));
    String sql =
        """
        SELECT count(*) FILTER (WHERE relname < 'job_p' || to_char(now() AT TIME ZONE 'UTC' - ? * interval '1 day', 'YYYYMMDD')),
               coalesce(min(relname), '')
        FROM pg_class
        WHERE relnamespace = 'millpond'::regnamespace AND relname ~ '^job_p[0-9]{8}$'
        """;
    findings.addAll(
        Question.rows(
            connection,
            sql,
            row -> {
              long old = row.getLong(1);
              return old == 0
                  ? Finding.ok("schema.partitions.old", "oldest " + row.getString(2))
                  : Finding.info(
                      "schema.partitions.old",
                      old + " are older than " + days + " days, the oldest " + row.getString(2),
                      "jobs in them have not ended or are dead letters, or the leader keeps jobs"
                          + " for longer than is configured here",
                      "psql -c \"SELECT count(*) FROM millpond." + row.getString(2) + "\"");
            },
            days));
    return findings;
  }

  private static Finding days(Connection connection) throws SQLException {
    String sql =
        """
        SELECT to_char(day, 'YYYYMMDD'), day < (now() AT TIME ZONE 'UTC')::date + ?
        FROM generate_series((now() AT TIME ZONE 'UTC')::date, (now() AT TIME ZONE 'UTC')::date + ? - 1, interval '1 day') AS day
        WHERE NOT EXISTS (SELECT FROM pg_class WHERE relnamespace = 'millpond'::regnamespace
                          AND relname = 'job_p' || to_char(day, 'YYYYMMDD'))
        ORDER BY day
        """;
    List<String> missing = new ArrayList<>();
    List<Boolean> needed =
        Question.rows(
            connection,
            sql,
            row -> {
              missing.add(row.getString(1));
              return row.getBoolean(2);
            },
            DAYS_NEEDED,
            DAYS_AHEAD);
    if (missing.isEmpty()) {
      return Finding.ok("schema.partitions", "today's and those of the days ahead are there");
    }
    String found = "missing for " + String.join(", ", missing);
    String remedy =
        "Start a process with --role maintenance, or psql -c \"SELECT"
            + " millpond.ensure_partitions((now() AT TIME ZONE 'UTC')::date + d) FROM"
            + " generate_series(0, 3) AS d\"";
    return needed.contains(true)
        ? Finding.error(
            "schema.partitions",
            found,
            "jobs of those days land in the default partition, which is never dropped",
            remedy)
        : Finding.warning(
            "schema.partitions", found, "the leader makes them days ahead: it seems away", remedy);
  }

  private static Finding defaults(Connection connection) throws SQLException {
    long rows =
        Question.number(
            connection,
            "SELECT count(*) FROM (SELECT FROM millpond.job_default LIMIT ?) AS r",
            ROWS_COUNTED);
    return rows == 0
        ? Finding.ok("schema.partitions.default", "empty")
        : Finding.warning(
            "schema.partitions.default",
            (rows == ROWS_COUNTED ? "at least " : "") + rows + " jobs in it",
            "it is never dropped, and the partition of their day cannot be made while they are"
                + " there",
            "Look for a process whose clock is off: psql -c \"SELECT min(id), max(id) FROM"
                + " millpond.job_default\"");
  }
}
