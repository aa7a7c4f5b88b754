package dev.millpond.engine.admission;

/**
 * What PostgreSQL says of a queue's gate.
 *
 * @param depth runnable and running jobs
 * @param drainPerSecond jobs that leave it in a second, on average
 * @param closedAt the high watermark that it has come to, without having been below the low one
 *     since; 0 while it is open
 * @param scheduledFull whether as many jobs are scheduled or wait as may be
 */
public record Answer(long depth, double drainPerSecond, long closedAt, boolean scheduledFull) {
  /** Whether it is closed by these marks: by others it would not be, or will be again. */
  public boolean closed(Watermarks marks) {
    return marks.marked() && closedAt == marks.high();
  }
}
