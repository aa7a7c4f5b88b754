package dev.millpond.engine.lifecycle.store;

import dev.millpond.api.UnavailableException;
import dev.millpond.engine.SchemaException;
import java.sql.SQLException;
import java.util.Properties;
import java.util.stream.Stream;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;
import org.flywaydb.core.api.MigrationInfoService;
import org.flywaydb.core.api.MigrationState;

/** Millpond's schema in PostgreSQL, kept by Flyway. */
public final class Schema {
  private static final String NAME = "millpond";
  private static final String LOCATION = "classpath:dev/millpond/migration";

  private Schema() {}

  private static RuntimeException failed(String what, FlywayException e) {
    for (Throwable cause = e; cause != null; cause = cause.getCause()) {
      if (cause instanceof SQLException sql && Pg.fault(sql) == Pg.Fault.CONNECTION) {
        return new UnavailableException(
            "PostgreSQL cannot be reached: " + sql.getMessage(), false, e);
      }
    }
    return new SchemaException(what + ": " + e.getMessage(), e);
  }

  private static Flyway flyway(String pgUrl) {
    Properties properties = new Properties();
    properties.setProperty("flyway.postgresql.transactional.lock", "false");
    return Flyway.configure(Schema.class.getClassLoader())
        .dataSource(pgUrl, null, null)
        .configuration(properties)
        .schemas(NAME)
        .defaultSchema(NAME)
        .createSchemas(true)
        .locations(LOCATION)
        .connectRetries(0)
        .load();
  }

  /** Applies what is missing; how many migrations ran. */
  public static int migrate(String pgUrl) {
    try {
      return flyway(pgUrl).migrate().migrationsExecuted;
    } catch (FlywayException e) {
      throw failed("The schema could not be migrated", e);
    }
  }

  /**
   * Checks that the schema is the one of this version.
   *
   * @throws SchemaException with the remedy
   * @throws UnavailableException when PostgreSQL does not answer
   */
  public static void check(String pgUrl) {
    int pending;
    boolean newer;
    try {
      MigrationInfoService info = flyway(pgUrl).info();
      pending = info.pending().length;
      newer = Stream.of(info.all()).anyMatch(m -> m.getState() == MigrationState.FUTURE_SUCCESS);
    } catch (FlywayException e) {
      throw failed("PostgreSQL cannot be asked for its schema", e);
    }
    if (newer) {
      throw new SchemaException(
          "The database has a newer schema than this version of Millpond. Use the newer version",
          null);
    }
    if (pending > 0) {
      throw new SchemaException(
          pending
              + " migrations are missing in the database. Run \"millpond migrate\" or"
              + " Millpond.migrate(url)",
          null);
    }
  }
}
