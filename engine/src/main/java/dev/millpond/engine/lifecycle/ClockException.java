package dev.millpond.engine.lifecycle;

/** This machine's clock is too far off the database's. */
public final class ClockException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public ClockException(String message) {
    super(message);
  }
}
