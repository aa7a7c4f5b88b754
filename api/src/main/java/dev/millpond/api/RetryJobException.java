package dev.millpond.api;

import java.time.Duration;

/**
 * Thrown by a handler: try again after this wait instead of the backoff's. Counts as an attempt.
 */
public final class RetryJobException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final Duration delay;

  public RetryJobException(String message, Duration delay) {
    super(message);
    if (delay.isNegative() || delay.compareTo(Limits.RUN_AT_CEILING) > 0) {
      throw new IllegalArgumentException(
          "delay must be zero to " + Limits.RUN_AT_CEILING + ", is " + delay);
    }
    this.delay = delay;
  }

  public Duration delay() {
    return delay;
  }
}
