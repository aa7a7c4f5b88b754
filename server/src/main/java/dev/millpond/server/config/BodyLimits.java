package dev.millpond.server.config;

import java.time.Duration;

/**
 * How large and how slow requests may be.
 *
 * @param json most bytes of a JSON body
 * @param ndjson most bytes of a body with one job a line
 * @param silence of a connection, or time for a head to be whole; a body may take twice as long
 */
public record BodyLimits(int json, int ndjson, Duration silence) {
  static final int LEAST = 4096;
  static final int JSON_MAX = 64 << 20;
  static final int NDJSON_MAX = 256 << 20;
  static final Duration SILENCE_LEAST = Duration.ofSeconds(1);
  static final Duration SILENCE_MAX = Duration.ofMinutes(10);

  /** How long a body may take to arrive. */
  public Duration bodyTime() {
    return silence.multipliedBy(2);
  }
}
