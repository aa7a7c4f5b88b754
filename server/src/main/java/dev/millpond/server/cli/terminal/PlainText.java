package dev.millpond.server.cli.terminal;

import java.util.List;
import java.util.Locale;

/**
 * Text from jobs as people may see it. Whatever a job carries, nothing of it moves the cursor,
 * changes colours, sets a title, turns the reading direction or starts a line: such characters are
 * shown as {@code \\u001b}.
 */
public final class PlainText {
  private static final int TAB_COLUMNS = 4;

  private PlainText() {}

  /** The text on one line. */
  public static String line(String text) {
    if (text.codePoints().noneMatch(PlainText::acts)) {
      return text;
    }
    StringBuilder plain = new StringBuilder(text.length() + 16);
    text.codePoints().forEach(c -> append(plain, c));
    return plain.toString();
  }

  /** The lines of a text such as a stack trace, each plain; tabs become spaces. */
  public static List<String> lines(String text) {
    return text.lines().map(line -> line(line.replace("\t", " ".repeat(TAB_COLUMNS)))).toList();
  }

  /**
   * JSON without characters that act: in a valid JSON text they stand within strings only, where
   * the escaped form is the same value. White space between the values is kept.
   */
  public static String json(String json) {
    if (json.codePoints().noneMatch(PlainText::actsInJson)) {
      return json;
    }
    StringBuilder plain = new StringBuilder(json.length() + 16);
    json.codePoints()
        .forEach(c -> {
          if (actsInJson(c)) {
            for (char unit : Character.toChars(c)) {
              escape(plain, unit);
            }
          } else {
            plain.appendCodePoint(c);
          }
        });
    return plain.toString();
  }

  /** How many columns of a terminal a plain text takes: 2 for East Asian and emoji characters. */
  public static int width(String plain) {
    return plain.codePoints().map(PlainText::width).sum();
  }

  /** The text in at most so many columns; what is cut off shows as an ellipsis. */
  public static String cut(String plain, int columns) {
    if (width(plain) <= columns) {
      return plain;
    }
    StringBuilder cut = new StringBuilder();
    int used = 0;
    for (int i = 0; i < plain.length(); ) {
      int c = plain.codePointAt(i);
      used += width(c);
      if (used > columns - 1) {
        break;
      }
      cut.appendCodePoint(c);
      i += Character.charCount(c);
    }
    return columns < 1 ? "" : cut.append('…').toString();
  }

  private static void append(StringBuilder plain, int c) {
    switch (c) {
      case '\n' -> plain.append("\\n");
      case '\r' -> plain.append("\\r");
      case '\t' -> plain.append("\\t");
      default -> {
        if (acts(c)) {
          for (char unit : Character.toChars(c)) {
            escape(plain, unit);
          }
        } else {
          plain.appendCodePoint(c);
        }
      }
    }
  }

  private static void escape(StringBuilder plain, char unit) {
    plain.append(String.format(Locale.ROOT, "\\u%04x", (int) unit));
  }

  /** Controls (C0, DEL, C1), invisible formats with the direction marks, separators, halves. */
  private static boolean acts(int c) {
    if (c >= ' ' && c < 0x7f) {
      return false;
    }
    return switch (Character.getType(c)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR,
          Character.SURROGATE ->
          true;
      default -> false;
    };
  }

  private static boolean actsInJson(int c) {
    return acts(c) && c != '\n' && c != '\r' && c != '\t';
  }

  /** After Unicode's East Asian Width (UAX 11), by blocks. */
  private static int width(int c) {
    if (c < 0x300) {
      return 1;
    }
    int type = Character.getType(c);
    if (type == Character.NON_SPACING_MARK || type == Character.ENCLOSING_MARK) {
      return 0;
    }
    boolean wide =
        within(c, 0x1100, 0x115f) // Hangul Jamo
            || within(c, 0x2e80, 0x303e) // CJK radicals and punctuation
            || within(c, 0x3040, 0xa4cf) // kana, CJK, Yi
            || within(c, 0xac00, 0xd7a3) // Hangul
            || within(c, 0xf900, 0xfaff) // CJK compatibility
            || within(c, 0xfe30, 0xfe6f)
            || within(c, 0xff00, 0xff60) // full width
            || within(c, 0xffe0, 0xffe6)
            || within(c, 0x20000, 0x3fffd)
            || Character.isEmojiPresentation(c);
    return wide ? 2 : 1;
  }

  private static boolean within(int c, int first, int last) {
    return c >= first && c <= last;
  }
}
