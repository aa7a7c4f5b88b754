package dev.millpond.engine.admission;

/**
 * What a submit asks of one queue.
 *
 * @param now jobs that are runnable at once, and count in the queue's depth
 * @param later jobs that are scheduled
 */
public record Need(String queue, Amount now, int later) {
  /** Whether it would add to the depth. */
  boolean counts() {
    return now.jobs() > 0;
  }
}
