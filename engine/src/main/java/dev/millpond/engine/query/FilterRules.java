package dev.millpond.engine.query;

import dev.millpond.engine.submit.JobRules;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/** What the values of a filter must fulfil. Stateless. */
final class FilterRules {
  /** Characters of a searched text, and of a JSON path. */
  static final int TEXT_CHARS = 1_000;

  /** Items of a page. */
  static final int LIMIT_MAX = 500;

  private FilterRules() {}

  static void name(String parameter, @Nullable String value) {
    if (value != null && !JobRules.isName(value)) {
      throw new InvalidFilterException(
          parameter, "must match " + JobRules.NAME_RULE + ", is \"" + cut(value) + '"');
    }
  }

  static void text(String parameter, @Nullable String value) {
    if (value == null) {
      return;
    }
    if (value.isEmpty() || value.length() > TEXT_CHARS) {
      throw new InvalidFilterException(
          parameter, "must have 1 to " + TEXT_CHARS + " characters, has " + value.length());
    }
    for (int i = 0; i < value.length(); i++) {
      char c = value.charAt(i);
      boolean pair =
          Character.isHighSurrogate(c)
              && i + 1 < value.length()
              && Character.isLowSurrogate(value.charAt(i + 1));
      if (pair) {
        i++;
      } else if (c == 0 || Character.isSurrogate(c)) {
        throw new InvalidFilterException(
            parameter, String.format("must be text, has U+%04X at %d", (int) c, i));
      }
    }
  }

  static void range(@Nullable Instant since, @Nullable Instant until) {
    if (since != null && until != null && !since.isBefore(until)) {
      throw new InvalidFilterException("since", "must be before until, " + until + ", is " + since);
    }
  }

  static void limit(int limit) {
    if (limit < 1 || limit > LIMIT_MAX) {
      throw new InvalidFilterException("limit", "must be 1 to " + LIMIT_MAX + ", is " + limit);
    }
  }

  private static String cut(String text) {
    return text.length() <= 80 ? text : text.substring(0, 80) + "…";
  }
}
