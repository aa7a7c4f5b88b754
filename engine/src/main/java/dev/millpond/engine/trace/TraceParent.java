package dev.millpond.engine.trace;

import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The header and stored text {@code traceparent} of W3C Trace Context, version 00. */
public final class TraceParent {
  private static final Pattern FORM =
      Pattern.compile("00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}");

  private static final int LENGTH = 55;
  private static final int SAMPLED = 1;

  private TraceParent() {}

  /** The text where it is one of a sampled trace; null otherwise: what is malformed is ignored. */
  public static @Nullable String sampled(@Nullable String text) {
    return text != null
            && text.length() == LENGTH
            && FORM.matcher(text).matches()
            && (Character.digit(text.charAt(LENGTH - 1), 16) & SAMPLED) != 0
        ? text
        : null;
  }

  /** The id of the trace. */
  public static String traceId(String traceparent) {
    return traceparent.substring(3, 35);
  }

  /** The id of the span that it names. */
  public static String spanId(String traceparent) {
    return traceparent.substring(36, 52);
  }
}
