package dev.millpond.engine.flow;

import java.time.Duration;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What was set for one queue; immutable. What was not set is null or missing: the default holds.
 *
 * @param weight of the queue against the others
 * @param aging how long a batch may be ready in a worker before it is served ahead of the weights
 * @param jobs watermarks in jobs
 * @param mib watermarks in MiB of payloads
 * @param weights of its priority classes that differ from the configured ones
 */
public record QueueFlow(
    @Nullable Integer weight,
    @Nullable Duration aging,
    SetMarks jobs,
    SetMarks mib,
    Map<String, Integer> weights) {
  /** Nothing was set. */
  public static final QueueFlow NONE = new QueueFlow(null, null, Map.of());

  /** Without watermarks of its own. */
  public QueueFlow(
      @Nullable Integer weight, @Nullable Duration aging, Map<String, Integer> weights) {
    this(weight, aging, SetMarks.NONE, SetMarks.NONE, weights);
  }

  public QueueFlow {
    weights = Map.copyOf(weights);
  }
}
