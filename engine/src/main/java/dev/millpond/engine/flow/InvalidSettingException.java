package dev.millpond.engine.flow;

/** A setting is out of its range; nothing was changed. */
public final class InvalidSettingException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final String pointer;
  private final String detail;

  /**
   * @param pointer JSON pointer of the setting, as in {@code /weights/high}
   * @param detail what was expected and what came
   */
  public InvalidSettingException(String pointer, String detail) {
    super(pointer + " " + detail);
    this.pointer = pointer;
    this.detail = detail;
  }

  public String pointer() {
    return pointer;
  }

  public String detail() {
    return detail;
  }
}
