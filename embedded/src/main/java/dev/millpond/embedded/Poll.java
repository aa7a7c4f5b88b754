package dev.millpond.embedded;

import java.time.Duration;

/**
 * Paces a loop that waits for something outside this JVM: short pauses until a deadline by the
 * monotonic clock.
 */
final class Poll {
  private static final long PAUSE_MILLIS = 10;

  private final long deadlineNanos;

  Poll(Duration patience) {
    this.deadlineNanos = System.nanoTime() + patience.toNanos();
  }

  /**
   * Pauses once.
   *
   * @return whether the loop should look again; {@code false} past the deadline and when the thread
   *     is interrupted, which stays visible in its interrupt flag
   */
  boolean next() {
    if (System.nanoTime() - deadlineNanos >= 0) {
      return false;
    }
    try {
      Thread.sleep(PAUSE_MILLIS);
      return true;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }
}
