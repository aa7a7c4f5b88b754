package dev.millpond.engine.flow;

import dev.millpond.engine.admission.Watermarks;
import java.time.Duration;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What was set for one queue; immutable. What was not set is null or missing: the default holds.
 *
 * @param weight of the queue against the others
 * @param aging how long a batch may be ready in a worker before it is served ahead of the weights
 * @param highWatermark depth at which it is full; {@link Watermarks#NO_MARK} for never
 * @param lowWatermark depth below which it takes jobs again
 * @param weights of its priority classes that differ from the configured ones
 */
public record QueueFlow(
    @Nullable Integer weight,
    @Nullable Duration aging,
    @Nullable Long highWatermark,
    @Nullable Long lowWatermark,
    Map<String, Integer> weights) {
  /** Nothing was set. */
  public static final QueueFlow NONE = new QueueFlow(null, null, Map.of());

  /** Without watermarks of its own. */
  public QueueFlow(
      @Nullable Integer weight, @Nullable Duration aging, Map<String, Integer> weights) {
    this(weight, aging, null, null, weights);
  }

  public QueueFlow {
    weights = Map.copyOf(weights);
  }
}
