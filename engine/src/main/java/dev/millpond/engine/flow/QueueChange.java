package dev.millpond.engine.flow;

import dev.millpond.engine.admission.Watermarks;
import dev.millpond.engine.dispatch.PriorityClasses;
import java.time.Duration;
import java.util.stream.Stream;

/**
 * A change of a queue's settings.
 *
 * @param weight against the other queues, 1 to {@link PriorityClasses#WEIGHT_MAX}; by default
 *     {@link FlowSettings#QUEUE_WEIGHT}
 * @param aging how long a batch may be runnable before it is served ahead of the weights, {@link
 *     FlowSettings#AGING_LEAST} to {@link FlowSettings#AGING_MOST}; by default there is no bound
 * @param highWatermark depth at which it is full, above the low one; {@link Watermarks#NO_MARK} for
 *     never
 * @param lowWatermark depth below which it takes jobs again
 * @param highMib MiB of payloads at which it is full, above the low one; {@link Watermarks#NO_MARK}
 *     for never
 * @param lowMib MiB of payloads below which it takes jobs again
 */
public record QueueChange(
    Setting<Integer> weight,
    Setting<Duration> aging,
    Setting<Long> highWatermark,
    Setting<Long> lowWatermark,
    Setting<Long> highMib,
    Setting<Long> lowMib) {
  /** Changes nothing. */
  public static final QueueChange NONE =
      new QueueChange(
          Setting.keep(),
          Setting.keep(),
          Setting.keep(),
          Setting.keep(),
          Setting.keep(),
          Setting.keep());

  public QueueChange withWeight(Setting<Integer> newWeight) {
    return new QueueChange(newWeight, aging, highWatermark, lowWatermark, highMib, lowMib);
  }

  public QueueChange withAging(Setting<Duration> newAging) {
    return new QueueChange(weight, newAging, highWatermark, lowWatermark, highMib, lowMib);
  }

  public QueueChange withHighWatermark(Setting<Long> newHigh) {
    return new QueueChange(weight, aging, newHigh, lowWatermark, highMib, lowMib);
  }

  public QueueChange withLowWatermark(Setting<Long> newLow) {
    return new QueueChange(weight, aging, highWatermark, newLow, highMib, lowMib);
  }

  public QueueChange withHighMib(Setting<Long> newHigh) {
    return new QueueChange(weight, aging, highWatermark, lowWatermark, newHigh, lowMib);
  }

  public QueueChange withLowMib(Setting<Long> newLow) {
    return new QueueChange(weight, aging, highWatermark, lowWatermark, highMib, newLow);
  }

  /** Whether it changes when the queue is full. */
  public boolean marks() {
    return Stream.of(highWatermark, lowWatermark, highMib, lowMib)
        .anyMatch(mark -> !(mark instanceof Setting.Keep<Long>));
  }

  /** Whether it sets anything: else defaults hold again, of which there is nothing to be kept. */
  public boolean sets() {
    return Stream.of(weight, aging, highWatermark, lowWatermark, highMib, lowMib)
        .anyMatch(setting -> setting instanceof Setting.To<?>);
  }
}
