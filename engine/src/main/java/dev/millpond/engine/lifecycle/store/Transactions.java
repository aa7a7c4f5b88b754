package dev.millpond.engine.lifecycle.store;

import com.zaxxer.hikari.HikariDataSource;
import dev.millpond.api.UnavailableException;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** Runs work in a transaction of the pool: commits when it returns, rolls back when it throws. */
public final class Transactions implements AutoCloseable {
  private static final int REPEATS_MAX = 5;

  /** Statements of one transaction. */
  @FunctionalInterface
  public interface Work<T extends @Nullable Object> {
    T run(Connection tx) throws SQLException;
  }

  private final HikariDataSource pool;

  /** How long an answer may take; null: as the pool has it. */
  private final @Nullable Duration answer;

  public Transactions(HikariDataSource pool) {
    this(pool, null);
  }

  private Transactions(HikariDataSource pool, @Nullable Duration answer) {
    this.pool = pool;
    this.answer = answer;
  }

  /**
   * The same pool with another time to wait for an answer, and for PostgreSQL to give a statement
   * up somewhat earlier. What is done then is a transaction, also where it is one statement.
   */
  public Transactions patient(Duration within) {
    return new Transactions(pool, within);
  }

  /**
   * Runs the work; again after a deadlock, up to {@link #REPEATS_MAX} times.
   *
   * @throws DatabaseException when the work or the commit failed
   */
  public <T extends @Nullable Object> T call(Work<T> work) {
    for (int repeat = 0; ; repeat++) {
      try (Connection connection = pool.getConnection()) {
        return transaction(connection, work);
      } catch (SQLException e) {
        if (Pg.fault(e) != Pg.Fault.REPEAT || repeat == REPEATS_MAX) {
          throw new DatabaseException(e);
        }
      }
    }
  }

  /**
   * Leaves the connection as it came: of a pool that was closed meanwhile, HikariCP has forgotten
   * what to reset by then, and would end in a NullPointerException.
   */
  private <T extends @Nullable Object> T transaction(Connection connection, Work<T> work)
      throws SQLException {
    connection.setAutoCommit(false);
    T result;
    try {
      if (answer != null) {
        Pg.giveTime(connection, answer);
      }
      result = work.run(connection);
      connection.commit();
    } catch (SQLException | RuntimeException e) {
      rollback(connection, e);
      throw e;
    }
    connection.setAutoCommit(true);
    return result;
  }

  /**
   * Runs one statement that only reads, without a transaction around it: one round trip.
   *
   * @throws DatabaseException when it failed
   */
  public <T extends @Nullable Object> T read(Work<T> statement) {
    if (answer != null) {
      return call(statement);
    }
    try (Connection connection = pool.getConnection()) {
      return statement.run(connection);
    } catch (SQLException e) {
      throw new DatabaseException(e);
    }
  }

  /**
   * Runs one statement that is a transaction of its own: one round trip.
   *
   * @throws DatabaseException when it failed
   */
  public <T extends @Nullable Object> T alone(Work<T> statement) {
    return read(statement);
  }

  /** Like {@link #call}, with database errors as {@link UnavailableException}. */
  public <T extends @Nullable Object> T callOrThrow(Work<T> work) {
    try {
      return call(work);
    } catch (DatabaseException e) {
      boolean away = e.fault() == Pg.Fault.CONNECTION;
      throw new UnavailableException(
          "PostgreSQL did not do it: " + (away ? away(e) : e.getMessage()), away, e);
    }
  }

  /** Without what the driver says, which names hosts and users: callers from afar may read it. */
  private static String away(DatabaseException e) {
    String state = e.getCause() instanceof SQLException cause ? cause.getSQLState() : null;
    return "it is away or takes no work for now" + (state == null ? "" : ", SQLSTATE " + state);
  }

  private static void rollback(Connection connection, Exception cause) {
    try {
      connection.rollback();
      connection.setAutoCommit(true);
    } catch (SQLException e) {
      cause.addSuppressed(e);
    }
  }

  public HikariDataSource pool() {
    return pool;
  }

  @Override
  public void close() {
    pool.close();
  }
}
