package dev.millpond.engine.query;

/** A JSON path that PostgreSQL does not understand. */
public final class InvalidPathException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final int position;

  /**
   * Says what PostgreSQL said.
   *
   * @param position of the first character that does not fit, from 0; -1 when it is not known
   */
  public InvalidPathException(String message, int position) {
    super(message);
    this.position = position;
  }

  public int position() {
    return position;
  }
}
