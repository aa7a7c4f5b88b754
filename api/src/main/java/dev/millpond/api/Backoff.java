package dev.millpond.api;

import java.time.Duration;

/**
 * The wait before the next attempt: {@code random(0,1) * min(base * 2^(attempt-1), max)}, full
 * jitter as in "Exponential Backoff And Jitter" (M. Brooker, 2015).
 *
 * @param base the ceiling of the first wait, above zero
 * @param max the ceiling of every wait, at least {@code base}
 */
public record Backoff(Duration base, Duration max) {
  public static final Backoff DEFAULT = new Backoff(Limits.BACKOFF_BASE, Limits.BACKOFF_MAX);

  public Backoff {
    if (base.isNegative() || base.isZero()) {
      throw new InvalidJobException("/backoff/base", "must be above zero, is " + base);
    }
    if (max.compareTo(base) < 0 || max.compareTo(Limits.RUN_AT_CEILING) > 0) {
      throw new InvalidJobException(
          "/backoff/max", "must be from " + base + " to " + Limits.RUN_AT_CEILING + ", is " + max);
    }
  }
}
