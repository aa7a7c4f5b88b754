package dev.millpond.engine.lifecycle.store;

import java.sql.SQLException;

/** PostgreSQL did not do what it was asked; says what kind of fault it was. */
public final class DatabaseException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final Pg.Fault fault;
  private final boolean tookTooLong;

  public DatabaseException(SQLException cause) {
    super(cause.getMessage(), cause);
    this.fault = Pg.fault(cause);
    this.tookTooLong = Pg.STATEMENT_TIMEOUT.equals(cause.getSQLState());
  }

  public Pg.Fault fault() {
    return fault;
  }

  /** Whether PostgreSQL gave a statement up that took longer than it may, and said so. */
  public boolean tookTooLong() {
    return tookTooLong;
  }
}
