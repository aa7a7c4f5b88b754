package dev.millpond.engine.flow;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * How many jobs of a queue or kind may run at a time, and how many may start in a time, in the
 * whole fleet. One of both is there at least.
 *
 * @param concurrency jobs at a time, 1 to {@link #CONCURRENCY_MAX}; null for no bound
 * @param rate of starts; null for no bound
 */
public record Limit(@Nullable Integer concurrency, @Nullable Rate rate) {
  public static final int CONCURRENCY_MAX = 100_000;
  public static final int PERMITS_MAX = 1_000_000;
  public static final Duration PER_LEAST = Duration.ofMillis(1);
  public static final Duration PER_MOST = Duration.ofDays(1);

  /**
   * A token bucket: holds {@code burst} tokens, and gets {@code permits} of them in each {@code
   * per}. So in any time T no more than {@code burst + permits * T / per} jobs start.
   */
  public record Rate(int permits, Duration per, int burst) {}
}
