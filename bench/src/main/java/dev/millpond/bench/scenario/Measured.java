package dev.millpond.bench.scenario;

import dev.millpond.bench.servers.Usage;
import java.util.List;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/**
 * What came out of the measured time.
 *
 * @param jobs within it
 * @param micros latencies within it; null where they mean nothing
 * @param ceiling what the rate is compared with; null for nothing
 * @param series how figures went
 */
public record Measured(
    long jobs,
    Usage usage,
    @Nullable Histogram micros,
    @Nullable Ceiling ceiling,
    List<Series> series) {

  public Measured(long jobs, Usage usage, @Nullable Histogram micros, @Nullable Ceiling ceiling) {
    this(jobs, usage, micros, ceiling, List.of());
  }

  /** Time in which nothing was to do. */
  public static Measured nothing(Usage usage) {
    return new Measured(0, usage, null, null);
  }
}
