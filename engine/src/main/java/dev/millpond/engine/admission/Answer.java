package dev.millpond.engine.admission;

import org.jspecify.annotations.Nullable;

/**
 * What PostgreSQL says of a queue's gate.
 *
 * @param depth runnable and running jobs, and the bytes of their payloads
 * @param capacity jobs that leave it in a second while some wait, on average
 * @param closedAt the high watermarks of which it has come to one, without having been below the
 *     low ones since; null while it is open
 * @param scheduledFull whether as many jobs are scheduled or wait as may be
 */
public record Answer(
    Amount depth, double capacity, @Nullable Amount closedAt, boolean scheduledFull) {
  /** Whether it is closed by these marks: by others it would not be, or will be again. */
  public boolean closed(Watermarks marks) {
    return marks.marked() && marks.high().equals(closedAt);
  }
}
