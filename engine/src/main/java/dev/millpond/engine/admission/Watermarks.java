package dev.millpond.engine.admission;

import dev.millpond.engine.ConfigException;

/**
 * The depths at which a queue's gate closes and opens again. The gate is closed once the depth has
 * come to the high mark, and stays so until the depth is below the low one.
 *
 * @param high jobs, 2 to {@link #MOST}; {@link #NO_MARK} for a queue that is never full
 * @param low jobs, 1 or more, below {@code high}
 */
public record Watermarks(long high, long low) {
  public static final long MOST = 1_000_000_000;

  /** Of a queue that takes whatever comes. */
  public static final long NO_MARK = 0;

  /** Of a queue for which none were set. */
  public static final Watermarks DEFAULT = new Watermarks(10_000, 2_000);

  /** The low mark is this part of a high one for which none is set. */
  private static final int LOW_PART = 5;

  /** A queue without marks. */
  public static final Watermarks NONE = new Watermarks(NO_MARK, 1);

  public Watermarks {
    if (high != NO_MARK && (high < 2 || high > MOST)) {
      throw new ConfigException(
          "millpond.queue.high-watermark", high, "none, or 2 to " + MOST + " jobs");
    }
    if (low < 1 || low > MOST || (high != NO_MARK && low >= high)) {
      throw new ConfigException(
          "millpond.queue.low-watermark",
          low,
          high == NO_MARK ? "1 to " + MOST + " jobs" : "1 to " + (high - 1) + ", below the high");
    }
  }

  /** The low mark of a high one for which none is set. */
  public static long lowOf(long high) {
    return Math.max(1, high / LOW_PART);
  }

  /**
   * Of two marks that were set apart from each other: where they contradict each other, the high
   * one holds.
   */
  public static Watermarks of(long high, long low) {
    return new Watermarks(high, high == NO_MARK ? low : Math.min(low, high - 1));
  }

  /** Whether the queue can be full. */
  public boolean marked() {
    return high != NO_MARK;
  }
}
