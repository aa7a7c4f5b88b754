package dev.millpond.server.cli.terminal;

import java.time.Duration;
import java.time.Instant;

/** Times relative to now, in one unit: {@code 5m} ago, {@code in 3h}. */
public final class Age {
  /** Two clocks may differ by this much. */
  private static final Duration NOW = Duration.ofSeconds(2);

  private Age() {}

  /** How long ago it was, or {@code in …} for a time to come, as far as the clocks can tell. */
  public static String of(Instant then, Instant now) {
    Duration age = Duration.between(then, now);
    if (age.negated().compareTo(NOW) > 0) {
      return "in " + span(age.negated());
    }
    return span(age.isNegative() ? Duration.ZERO : age);
  }

  /** A length of time in its largest unit; below ten seconds to the tenth of one. */
  public static String span(Duration length) {
    long millis = length.toMillis();
    if (millis < 1_000) {
      return Math.max(0, millis) + "ms";
    }
    if (millis < 10_000) {
      return millis / 1_000 + "." + millis % 1_000 / 100 + "s";
    }
    if (length.toMinutes() < 2) {
      return length.toSeconds() + "s";
    }
    if (length.toHours() < 2) {
      return length.toMinutes() + "m";
    }
    return length.toDays() < 2 ? length.toHours() + "h" : length.toDays() + "d";
  }
}
