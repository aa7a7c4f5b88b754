package dev.millpond.scenarios.stage;

import java.util.UUID;

/**
 * One run of a handler.
 *
 * @param process id of its worker's
 * @param attempt from 1
 * @param startNanos by {@link System#nanoTime}, as of this process
 * @param endNanos likewise; {@link #OPEN} while it runs, or when its process was killed
 */
public record Run(
    long process, UUID job, int attempt, String label, long startNanos, long endNanos) {
  /** It has not ended. */
  public static final long OPEN = Long.MAX_VALUE;

  /** Whether it had no end of its own. */
  public boolean open() {
    return endNanos == OPEN;
  }

  /** As one that ended then at the latest: its process did. */
  public Run cutAt(long nanos) {
    return open() ? new Run(process, job, attempt, label, startNanos, nanos) : this;
  }
}
