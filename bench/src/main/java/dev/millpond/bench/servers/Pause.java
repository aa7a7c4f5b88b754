package dev.millpond.bench.servers;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;

/** Waiting in loops that look at a condition. */
public final class Pause {
  private static final long STUCK_NANOS = TimeUnit.SECONDS.toNanos(30);

  private Pause() {}

  public static void millis(long millis) {
    LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(millis));
  }

  public static void micros(long micros) {
    LockSupport.parkNanos(TimeUnit.MICROSECONDS.toNanos(micros));
  }

  /** Waits until a moment of {@link System#nanoTime()}. */
  public static void until(long nanos) {
    for (long left = nanos - System.nanoTime(); left > 0; left = nanos - System.nanoTime()) {
      LockSupport.parkNanos(left);
    }
  }

  /**
   * Waits until a count has reached a goal, or has stood still for half a minute.
   *
   * @param done asked again and again, as is the goal
   * @param lookMicros between two looks
   */
  public static void whileItGrows(LongSupplier done, LongSupplier goal, long lookMicros) {
    long then = -1;
    long until = 0;
    for (long now = done.getAsLong(); now < goal.getAsLong(); now = done.getAsLong()) {
      if (now != then) {
        then = now;
        until = System.nanoTime() + STUCK_NANOS;
      } else if (System.nanoTime() > until) {
        return;
      }
      micros(lookMicros);
    }
  }
}
