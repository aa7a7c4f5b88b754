package dev.millpond.engine.flow;

import dev.millpond.engine.dispatch.PriorityClasses;
import java.time.Duration;

/**
 * A change of a queue's settings.
 *
 * @param weight against the other queues, 1 to {@link PriorityClasses#WEIGHT_MAX}; by default
 *     {@link FlowSettings#QUEUE_WEIGHT}
 * @param aging how long a batch may be runnable before it is served ahead of the weights, {@link
 *     FlowSettings#AGING_LEAST} to {@link FlowSettings#AGING_MOST}; by default there is no bound
 */
public record QueueChange(Setting<Integer> weight, Setting<Duration> aging) {
  /** Changes nothing. */
  public static final QueueChange NONE = new QueueChange(Setting.keep(), Setting.keep());

  public QueueChange withWeight(Setting<Integer> newWeight) {
    return new QueueChange(newWeight, aging);
  }

  public QueueChange withAging(Setting<Duration> newAging) {
    return new QueueChange(weight, newAging);
  }
}
