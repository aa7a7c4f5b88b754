package dev.millpond.server.demo;

import java.time.Duration;
import java.util.Arrays;
import java.util.Locale;

/** Durations of one kind, for their percentiles. Not thread-safe. */
final class Latencies {
  private final long[] micros;
  private int count;

  /**
   * An empty collection.
   *
   * @param most durations it will take
   */
  Latencies(int most) {
    micros = new long[most];
  }

  void add(Duration duration) {
    // Clocks are of one database, but a start may be stamped by a worker's: never below zero.
    micros[count++] = Math.max(0, duration.toNanos() / 1_000);
  }

  /** The value that {@code percent} of all do not exceed (nearest rank), in milliseconds. */
  double percentileMillis(double percent) {
    if (count == 0) {
      return Double.NaN;
    }
    long[] sorted = Arrays.copyOf(micros, count);
    Arrays.sort(sorted);
    int rank = (int) Math.ceil(percent / 100 * count);
    return sorted[Math.clamp(rank, 1, count) - 1] / 1_000.0;
  }

  /** {@code p50 1.2 ms p95 3.4 ms p99 5.6 ms}. */
  @Override
  public String toString() {
    return String.format(
        Locale.ROOT,
        "p50 %.1f ms   p95 %.1f ms   p99 %.1f ms",
        percentileMillis(50),
        percentileMillis(95),
        percentileMillis(99));
  }
}
