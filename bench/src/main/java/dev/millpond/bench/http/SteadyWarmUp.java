package dev.millpond.bench.http;

import dev.millpond.bench.servers.Pause;
import java.util.function.LongSupplier;

/**
 * Waits until a server that has just started, with all of its code yet to compile, is as fast as it
 * gets: two windows of time in a row in which it was no faster than in the best one before.
 */
final class SteadyWarmUp {
  /** Windows at least and at most. */
  private static final int WINDOWS_LEAST = 7;

  private static final int WINDOWS_MOST = 20;
  private static final int STEADY_WINDOWS = 2;

  /** Less than this is no gain. */
  private static final double GAIN = 1.05;

  private SteadyWarmUp() {}

  /**
   * Waits.
   *
   * @param done counts what the server has done
   * @param windowMillis of a window
   */
  static void await(LongSupplier done, long windowMillis) {
    double best = 0;
    int steady = 0;
    for (int i = 0; i < WINDOWS_MOST && (i < WINDOWS_LEAST || steady < STEADY_WINDOWS); i++) {
      long before = done.getAsLong();
      long began = System.nanoTime();
      Pause.millis(windowMillis);
      double rate = (done.getAsLong() - before) / (double) (System.nanoTime() - began);
      steady = rate > best * GAIN ? 0 : steady + 1;
      best = Math.max(best, rate);
    }
  }
}
