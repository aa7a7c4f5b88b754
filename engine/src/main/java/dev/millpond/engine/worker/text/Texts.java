package dev.millpond.engine.worker.text;

import dev.millpond.api.JobView.JobError;
import dev.millpond.api.Limits;
import java.io.PrintWriter;
import java.io.StringWriter;
import org.jspecify.annotations.Nullable;

/** Texts that handlers produce, made fit to be stored: cut, and without what PostgreSQL refuses. */
public final class Texts {
  private static final char REPLACEMENT = '\uFFFD';

  private Texts() {}

  public static JobError error(Throwable thrown) {
    StringWriter stack = new StringWriter();
    try {
      thrown.printStackTrace(new PrintWriter(stack));
    } catch (RuntimeException | StackOverflowError e) {
      stack.append("(its stack trace could not be written)");
    }
    String message;
    try {
      message = thrown.getMessage();
    } catch (RuntimeException | StackOverflowError e) {
      message = "(its message could not be read)";
    }
    return new JobError(
        thrown.getClass().getName(),
        cut(message, Limits.ERROR_BYTES),
        cut(stack.toString(), Limits.ERROR_BYTES));
  }

  public static String line(String text) {
    String cut = cut(text, Limits.LOG_LINE_BYTES);
    return cut == null ? "" : cut;
  }

  /** At most so many bytes of UTF-8; NUL and lone surrogates replaced. */
  public static @Nullable String cut(@Nullable String text, int bytes) {
    if (text == null) {
      return null;
    }
    StringBuilder clean = new StringBuilder(Math.min(text.length(), bytes));
    int size = 0;
    for (int i = 0; i < text.length(); ) {
      int point = text.codePointAt(i);
      i += Character.charCount(point);
      if (point == 0 || (point >= 0xD800 && point <= 0xDFFF)) {
        point = REPLACEMENT;
      }
      size += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
      if (size > bytes) {
        break;
      }
      clean.appendCodePoint(point);
    }
    return clean.toString();
  }
}
