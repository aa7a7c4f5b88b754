package dev.millpond.api;

/** A field of a job is out of its range. */
public final class InvalidJobException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final String pointer;
  private final String detail;
  private final int index;

  /**
   * @param pointer JSON pointer of the field, as in {@code /kind}
   * @param detail what was expected and what came
   */
  public InvalidJobException(String pointer, String detail) {
    this(pointer, detail, -1);
  }

  /**
   * @param index of the job in its batch, -1 for a single one
   */
  public InvalidJobException(String pointer, String detail, int index) {
    super((index < 0 ? "" : "job " + index + ": ") + pointer + " " + detail);
    this.pointer = pointer;
    this.detail = detail;
    this.index = index;
  }

  public String pointer() {
    return pointer;
  }

  public String detail() {
    return detail;
  }

  /** Index of the job in its batch, -1 for a single one. */
  public int index() {
    return index;
  }

  public InvalidJobException at(int newIndex) {
    return new InvalidJobException(pointer, detail, newIndex);
  }
}
