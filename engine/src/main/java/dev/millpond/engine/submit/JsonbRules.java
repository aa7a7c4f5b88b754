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

  /** Most characters of a number. */
  private static final int NUMBER_CHARS = 400;

  private JsonbRules() {}

  /** Whether a JSON text needs a look at its tokens; one pass, as each job asks. */
  static boolean suspect(String text) {
    int digits = 0;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c >= '0' && c <= '9') {
        if (++digits > NUMBER_CHARS) {
          return true;
        }
        continue;
      }
      boolean found =
          switch (c) {
            case 'e', 'E' -> digits > 0 && i + 1 < text.length() && startsExponent(text, i + 1);
            case '\\' -> i + 1 < text.length() && text.charAt(i + 1) == 'u';
            default -> Character.isSurrogate(c);
          };
      if (found) {
        return true;
      }
      digits = 0;
    }
    return false;
  }

  private static boolean startsExponent(String text, int at) {
    char c = text.charAt(at);
    return c == '+' || c == '-' || (c >= '0' && c <= '9');
  }

  /**
   * Checks the current token.
   *
   * @throws InvalidJobException when it breaks a rule
   */
  static void check(JsonParser parser, JsonToken token) {
    switch (token) {
      case PROPERTY_NAME, VALUE_STRING -> text(parser.getString());
      case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> number(parser.getString());
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

  private static void number(String number) {
    int e = Math.max(number.indexOf('e'), number.indexOf('E'));
    boolean small = true;
    if (e >= 0) {
      String exponent = number.substring(e + 1);
      small = exponent.length() <= 5 && Math.abs(Integer.parseInt(exponent)) <= EXPONENT_MAX;
    }
    if (!small || number.length() > NUMBER_CHARS) {
      throw new InvalidJobException(
          "/payload",
          "has a number with more than "
              + NUMBER_CHARS
              + " characters or an exponent beyond "
              + EXPONENT_MAX);
    }
  }
}
