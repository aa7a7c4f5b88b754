package dev.millpond.engine.worker;

import java.time.Duration;

/**
 * How long suspects may have a worker for themselves, one after the other (ADR 25). Those that wait
 * share a settle time out, in at most {@link #SHARES} parts. What one leaves of its part the next
 * ones may use up, to a settle time each, and as many as come together have a settle time more than
 * their parts: so one that kills is still alone when it does, also on a machine that is slow to let
 * it, unless those before it were long. After each further loss a job has four times as long.
 *
 * <p>For one thread.
 */
final class TimeAlone {
  /** From this many losses on, jobs have {@link #LONGEST}. */
  private static final int LOSSES_LONGEST = 5;

  static final Duration LONGEST = Duration.ofMinutes(10);

  private static final int SHARES = 20;

  private final long settleNanos;
  private long spareNanos;
  private long longerBy = 1;

  TimeAlone(Duration settle) {
    this.settleNanos = settle.toNanos();
    this.spareNanos = settleNanos;
  }

  /**
   * The time of the next one.
   *
   * @param losses the most that one of its jobs has had; at least 1
   * @param waiting others that wait to be alone
   */
  Duration next(int losses, int waiting) {
    longerBy = 1L << (2 * (Math.min(losses, LOSSES_LONGEST) - 1));
    long left = waiting == 0 ? settleNanos : Math.min(settleNanos, spareNanos);
    spareNanos = left + settleNanos / Math.min(SHARES, 1 + waiting);
    if (losses >= LOSSES_LONGEST) {
      return LONGEST;
    }
    Duration time = Duration.ofNanos(Math.min(settleNanos, spareNanos)).multipliedBy(longerBy);
    return time.compareTo(LONGEST) < 0 ? time : LONGEST;
  }

  /** What the one of the last {@link #next} has taken of it. */
  void taken(long nanos) {
    spareNanos = Math.max(0, spareNanos - nanos / longerBy);
  }
}
