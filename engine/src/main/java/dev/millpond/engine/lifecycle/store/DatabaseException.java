package dev.millpond.engine.lifecycle.store;

import java.sql.SQLException;

/** PostgreSQL did not do what it was asked; says what kind of fault it was. */
public final class DatabaseException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final Pg.Fault fault;

  public DatabaseException(SQLException cause) {
    super(cause.getMessage(), cause);
    this.fault = Pg.fault(cause);
  }

  public Pg.Fault fault() {
    return fault;
  }
}
