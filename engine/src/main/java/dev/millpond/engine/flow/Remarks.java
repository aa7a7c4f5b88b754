package dev.millpond.engine.flow;

import org.jspecify.annotations.Nullable;

/** What operators may say of what they do: who they are, and why. Stateless. */
public final class Remarks {
  /** Characters of who it was. */
  public static final int BY_MAX = 100;

  /** Characters of a reason. */
  public static final int REASON_MAX = 500;

  private Remarks() {}

  /**
   * Checks both; null for no word.
   *
   * @throws InvalidSettingException when one of them is blank, too long, or has characters that
   *     steer terminals
   */
  public static void check(@Nullable String by, @Nullable String reason) {
    check("/reason", reason, REASON_MAX);
    check("/by", by, BY_MAX);
  }

  private static void check(String pointer, @Nullable String text, int most) {
    if (text == null) {
      return;
    }
    if (text.isBlank() || text.length() > most) {
      throw new InvalidSettingException(
          pointer, "must be 1 to " + most + " characters, are " + text.strip().length());
    }
    if (text.codePoints().anyMatch(Remarks::unprintable)) {
      throw new InvalidSettingException(pointer, "must have no control characters");
    }
  }

  /** What could end a line of a log or steer a terminal, and what PostgreSQL cannot store. */
  private static boolean unprintable(int point) {
    return Character.isISOControl(point) || (point >= 0xD800 && point <= 0xDFFF);
  }
}
