package dev.millpond.faults;

import java.time.Duration;

/**
 * How bytes travel in one direction of a {@link FaultProxy}. They stay in order and none is lost:
 * under TCP a lost packet is a late one.
 *
 * @param latency how much later than it came each byte goes on, at least
 * @param jitter the most that is added to it, evenly spread by chance
 * @param sliceBytes how many bytes go on at once; 0 for as many as there are
 * @param slicePause the time between two slices
 * @param silent whether nothing goes on, and nobody is told: neither bytes nor the end of a
 *     connection
 */
public record Way(
    Duration latency, Duration jitter, int sliceBytes, Duration slicePause, boolean silent) {
  /** Bytes go on as they come. */
  public static final Way CLEAR = new Way(Duration.ZERO, Duration.ZERO, 0, Duration.ZERO, false);

  /** Nothing goes on. */
  public static final Way SILENT = new Way(Duration.ZERO, Duration.ZERO, 0, Duration.ZERO, true);

  private static final long SLICES_PER_SECOND = 100;

  public Way {
    if (latency.isNegative() || jitter.isNegative() || slicePause.isNegative() || sliceBytes < 0) {
      throw new IllegalArgumentException(
          "a way with latency %s, jitter %s, slices of %d and pauses of %s: none may be negative"
              .formatted(latency, jitter, sliceBytes, slicePause));
    }
  }

  /** This one, with a delay. */
  public Way withLatency(Duration atLeast, Duration jitterAtMost) {
    return new Way(atLeast, jitterAtMost, sliceBytes, slicePause, silent);
  }

  /** This one, in small pieces. */
  public Way withSlices(int bytes, Duration pause) {
    return new Way(latency, jitter, bytes, pause, silent);
  }

  /** This one, in a hundred slices a second. */
  public Way withBandwidth(long bytesPerSecond) {
    int slice = Math.toIntExact(Math.max(1, bytesPerSecond / SLICES_PER_SECOND));
    return withSlices(slice, Duration.ofSeconds(1).dividedBy(SLICES_PER_SECOND));
  }

  boolean isClear() {
    return equals(CLEAR);
  }

  /**
   * When a chunk may go on, by {@link System#nanoTime()}.
   *
   * @param luck from 0 to 1
   */
  long dueNanos(long cameNanos, double luck) {
    return cameNanos + latency.toNanos() + (long) (jitter.toNanos() * luck);
  }
}
