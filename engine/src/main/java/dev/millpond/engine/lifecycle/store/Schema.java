package dev.millpond.engine.lifecycle.store;

import dev.millpond.api.UnavailableException;
import dev.millpond.engine.SchemaException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.Properties;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;
import org.flywaydb.core.api.MigrationInfo;
import org.flywaydb.core.api.MigrationInfoService;
import org.flywaydb.core.api.MigrationVersion;
import org.flywaydb.core.api.configuration.FluentConfiguration;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Millpond's schema in PostgreSQL, kept by Flyway. A fleet of the version before may be at work
 * while it is migrated: see docs/operating/upgrading.md.
 */
public final class Schema {
  private static final Logger log = LoggerFactory.getLogger(Schema.class);

  private static final String NAME = "millpond";
  private static final String LOCATION = "classpath:dev/millpond/migration";

  /**
   * A statement waits for a lock no longer, for whoever comes after it to the same table waits
   * behind it, the whole fleet. Longer than {@code deadlock_timeout}, after which an autovacuum
   * that is in the way is ended.
   */
  private static final String LOCK_WAIT = "2s";

  /** How long it is tried again. */
  private static final Duration LOCK_PATIENCE = Duration.ofSeconds(60);

  /** Between two tries, in which those that have waited behind it get on. */
  private static final long PAUSE_LEAST_MILLIS = 250;

  private static final long PAUSE_MOST_MILLIS = 1_000;

  private static final String LOCK_TIMEOUT = "55P03";

  /** Those that have had a lock of a table of ours for longest. */
  private static final String IN_THE_WAY =
      """
      SELECT string_agg(format('pid %s (%s, %s, open for %s s)', pid, application_name, state, seconds), ', ')
      FROM (SELECT a.pid, a.application_name, a.state,
                   extract(epoch FROM clock_timestamp() - a.xact_start)::int AS seconds
            FROM pg_stat_activity a
            WHERE a.pid <> pg_backend_pid() AND a.xact_start IS NOT NULL AND a.pid IN (
                SELECT l.pid FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
                WHERE l.granted AND c.relnamespace = to_regnamespace('millpond')
                  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()))
            ORDER BY a.xact_start LIMIT 3) AS oldest
      """;

  private Schema() {}

  /**
   * How the database's schema stands to what this version knows.
   *
   * @param there null when there is none
   * @param known the newest that this version knows
   * @param pending migrations that are missing
   */
  private record Standing(@Nullable MigrationVersion there, MigrationVersion known, int pending) {
    static Standing of(MigrationInfoService info) {
      MigrationVersion known =
          Stream.of(info.all())
              .filter(migration -> migration.getState().isResolved())
              .map(MigrationInfo::getVersion)
              .filter(Objects::nonNull)
              .reduce(MigrationVersion.EMPTY, (a, b) -> a.compareTo(b) > 0 ? a : b);
      MigrationInfo current = info.current();
      return new Standing(
          current == null ? null : current.getVersion(), known, info.pending().length);
    }

    void refuseNewer() {
      if (there != null && there.compareTo(known) > 0) {
        throw new SchemaException(
            "The database has schema %s, newer than %s, the newest that this version of Millpond"
                    .formatted(there, known)
                + " knows. Use the version that has migrated it, or a newer one",
            null);
      }
    }

    void refuseOlder() {
      if (pending > 0) {
        throw new SchemaException(
            "The database has %s, this version of Millpond needs %s: migrations that are missing: %d."
                    .formatted(there == null ? "no schema" : "schema " + there, known, pending)
                + " Run \"millpond migrate\" of this version or Millpond.migrate(url)",
            null);
      }
    }
  }

  private static RuntimeException failed(String what, FlywayException e) {
    SQLException sql = sql(e);
    if (sql != null && Pg.fault(sql) == Pg.Fault.CONNECTION) {
      return new UnavailableException(
          "PostgreSQL cannot be reached: " + sql.getMessage(), false, e);
    }
    return new SchemaException(what + ": " + e.getMessage(), e);
  }

  private static @Nullable SQLException sql(FlywayException e) {
    for (Throwable cause = e; cause != null; cause = cause.getCause()) {
      if (cause instanceof SQLException sql) {
        return sql;
      }
    }
    return null;
  }

  static FluentConfiguration flyway(String pgUrl) {
    Properties properties = new Properties();
    properties.setProperty("flyway.postgresql.transactional.lock", "false");
    return Flyway.configure(Schema.class.getClassLoader())
        .dataSource(pgUrl, null, null)
        .jdbcProperties(Map.of("ApplicationName", "millpond-migrate"))
        .initSql("SET lock_timeout = '" + LOCK_WAIT + "'")
        .configuration(properties)
        .schemas(NAME)
        .defaultSchema(NAME)
        .createSchemas(true)
        .locations(LOCATION)
        .connectRetries(0);
  }

  /**
   * Applies what is missing; how many migrations ran. Each is a transaction of its own.
   *
   * @throws SchemaException when the schema is newer than this version, or when somebody holds a
   *     lock for too long
   * @throws UnavailableException when PostgreSQL does not answer
   */
  public static int migrate(String pgUrl) {
    return migrate(pgUrl, LOCK_PATIENCE);
  }

  /**
   * Applies what is missing.
   *
   * @param patience how long a lock is tried for
   */
  static int migrate(String pgUrl, Duration patience) {
    long beganNanos = System.nanoTime();
    try {
      Flyway flyway = flyway(pgUrl).load();
      Standing before = Standing.of(flyway.info());
      before.refuseNewer();
      while (true) {
        try {
          flyway.migrate();
          return before.pending();
        } catch (FlywayException e) {
          SQLException sql = sql(e);
          if (sql == null || !LOCK_TIMEOUT.equals(sql.getSQLState())) {
            throw e;
          }
          String inTheWay = inTheWay(pgUrl);
          if (System.nanoTime() - beganNanos > patience.toNanos()) {
            throw new SchemaException(
                "The schema could not be migrated within %s: a lock is held by %s. End that, and run it again; what was migrated so far stays"
                    .formatted(patience, inTheWay),
                e);
          }
          log.warn("a lock is held by {}: the migration is tried again", inTheWay);
          TimeUnit.MILLISECONDS.sleep(
              ThreadLocalRandom.current().nextLong(PAUSE_LEAST_MILLIS, PAUSE_MOST_MILLIS));
        }
      }
    } catch (FlywayException e) {
      throw failed("The schema could not be migrated", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new SchemaException("The schema is not migrated: interrupted", e);
    }
  }

  private static String inTheWay(String pgUrl) {
    try (Connection connection = DriverManager.getConnection(pgUrl);
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(IN_THE_WAY)) {
      String found = row.next() ? row.getString(1) : null;
      return found == null ? "a transaction that is over by now" : found;
    } catch (SQLException e) {
      return "a transaction that cannot be asked for (" + e.getMessage() + ")";
    }
  }

  /**
   * Checks that the schema is the one of this version.
   *
   * @throws SchemaException with the remedy
   * @throws UnavailableException when PostgreSQL does not answer
   */
  public static void check(String pgUrl) {
    Standing standing;
    try {
      standing = Standing.of(flyway(pgUrl).load().info());
    } catch (FlywayException e) {
      throw failed("PostgreSQL cannot be asked for its schema", e);
    }
    standing.refuseNewer();
    standing.refuseOlder();
  }
}
