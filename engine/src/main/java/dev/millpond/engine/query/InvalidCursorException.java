package dev.millpond.engine.query;

/** A cursor that the list did not give out. */
public final class InvalidCursorException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public InvalidCursorException(String message) {
    super(message);
  }
}
