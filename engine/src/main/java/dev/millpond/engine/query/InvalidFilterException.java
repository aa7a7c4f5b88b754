package dev.millpond.engine.query;

/** A list's filter or limit that is out of its range. */
public final class InvalidFilterException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final String parameter;

  /**
   * Names what is wrong.
   *
   * @param parameter the filter's name, such as {@code queue}
   * @param detail what was expected and what came, to follow the name
   */
  public InvalidFilterException(String parameter, String detail) {
    super(parameter + " " + detail);
    this.parameter = parameter;
  }

  public String parameter() {
    return parameter;
  }
}
