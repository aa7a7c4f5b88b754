package dev.millpond.engine.query;

/** A list's cursor or limit that this product did not give out. */
public final class InvalidCursorException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public InvalidCursorException(String message) {
    super(message);
  }
}
