package dev.millpond.server.http;

import java.time.DateTimeException;
import java.time.Instant;
import java.util.Optional;
import java.util.regex.Pattern;

/** Instants as the API takes them: RFC 3339 in UTC. */
public final class Instants {
  /** To follow "must be". */
  public static final String FORM = "an RFC 3339 instant in UTC such as 2027-01-31T08:30:00Z";

  private static final Pattern PATTERN =
      Pattern.compile("\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d{1,9})?Z");

  private Instants() {}

  /** The instant; empty when the text is none of the form. */
  public static Optional<Instant> parse(String text) {
    try {
      if (PATTERN.matcher(text).matches()) {
        return Optional.of(Instant.parse(text));
      }
    } catch (DateTimeException e) {
      // Looks like one, but there is no such day or hour.
    }
    return Optional.empty();
  }
}
