package dev.millpond.engine.submit;

import dev.millpond.api.InvalidJobException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;

/**
 * What is JSON and yet no value for PostgreSQL's jsonb: the character U+0000, half a surrogate
 * pair, numbers out of proportion. Payloads are stored as text, but whoever looks into them casts
 * them. Stateless.
 */
final class JsonbRules {
  /** Largest exponent of a number, about that of a double. */
  private static final int EXPONENT_MAX = 308;

  /** Characters of an exponent, with its sign; more are no small number or a pointless one. */
  private static final int EXPONENT_CHARS = 8;

  /** Most characters of a number. */
  private static final int NUMBER_CHARS = 400;

  private JsonbRules() {}

  /**
   * Whether JSON that we have written of an object needs a look at its tokens: it has an escape, a
   * decimal number with an exponent, or very many digits. Each job asks, so these are searches that
   * the JVM does quickly. A half of a surrogate pair that is no escape is left to the driver, which
   * writes a question mark.
   */
  static boolean suspect(String text) {
    return text.indexOf("\\u") >= 0
        || text.indexOf("E+") >= 0
        || text.indexOf("E-") >= 0
        || hasLongNumber(text);
  }

  /** Whether there are {@link #NUMBER_CHARS} digits in a row: then one is at each such step. */
  private static boolean hasLongNumber(String text) {
    for (int at = NUMBER_CHARS - 1; at < text.length(); at += NUMBER_CHARS) {
      int first = at;
      while (isDigit(text, first - 1)) {
        first--;
      }
      int end = at;
      while (isDigit(text, end)) {
        end++;
      }
      if (end - first > NUMBER_CHARS) {
        return true;
      }
    }
    return false;
  }

  private static boolean isDigit(String text, int at) {
    return at >= 0 && at < text.length() && text.charAt(at) >= '0' && text.charAt(at) <= '9';
  }

  /**
   * Checks the current token.
   *
   * @param escapes whether the text has any \\u: nothing else puts a U+0000 into a string
   * @throws InvalidJobException when it breaks a rule
   */
  static void check(JsonParser parser, JsonToken token, boolean escapes) {
    switch (token) {
      case PROPERTY_NAME, VALUE_STRING -> {
        if (escapes) {
          text(parser.getString());
        }
      }
      case VALUE_NUMBER_INT -> length(parser.getStringLength());
      case VALUE_NUMBER_FLOAT -> {
        length(parser.getStringLength());
        exponent(parser.getString());
      }
      default -> {}
    }
  }

  private static void text(String text) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      boolean pair =
          Character.isHighSurrogate(c)
              && i + 1 < text.length()
              && Character.isLowSurrogate(text.charAt(i + 1));
      if (pair) {
        i++;
      } else if (c == 0 || Character.isSurrogate(c)) {
        throw new InvalidJobException(
            "/payload", String.format("has \\u%04x, which is no character of a text", (int) c));
      }
    }
  }

  private static void length(int chars) {
    if (chars > NUMBER_CHARS) {
      throw new InvalidJobException(
          "/payload", "has a number of " + chars + " characters; most are " + NUMBER_CHARS);
    }
  }

  private static void exponent(String number) {
    int e = Math.max(number.indexOf('e'), number.indexOf('E'));
    if (e < 0) {
      return;
    }
    String exponent = number.substring(e + 1);
    if (exponent.length() > EXPONENT_CHARS || Math.abs(Integer.parseInt(exponent)) > EXPONENT_MAX) {
      throw new InvalidJobException(
          "/payload",
          "has a number with an exponent beyond "
              + EXPONENT_MAX
              + ": "
              + number.substring(0, Math.min(number.length(), 40)));
    }
  }
}
