package dev.millpond.engine.dispatch;

import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * How long jobs of a kind take, as a moving average; decides how many travel together. Workers feed
 * it with what they run, and each node takes over what others have stored, with each beat.
 * Thread-safe.
 */
public final class KindPace {
  /** Expected work of one batch: short enough to spread, long enough to cost the streams little. */
  static final long BATCH_MICROS = 20_000;

  /** Assumed before anything is known. */
  public static final long UNKNOWN_MICROS = 5_000;

  /**
   * A kind that nobody has measured may be slow: its jobs are spread over this many batches, as far
   * as they are not smaller than {@link #UNKNOWN_LEAST}.
   */
  private static final int UNKNOWN_SPREAD = 16;

  private static final int UNKNOWN_LEAST = 4;

  /** Weight of the newest job in the average. */
  private static final double NEW = 0.2;

  /** Kinds remembered; beyond it new ones stay unknown. */
  private static final int KINDS_MAX = 10_000;

  private final Map<String, Double> micros = new ConcurrentHashMap<>();
  private final Map<String, Boolean> measuredHere = new ConcurrentHashMap<>();

  /**
   * How many jobs of this kind should travel in one batch, 1 to {@link Batch#JOBS_MAX}.
   *
   * @param jobs that become runnable together
   */
  public int batchSize(String kind, int jobs) {
    Double known = micros.get(kind);
    return known == null
        ? Math.clamp(jobs / UNKNOWN_SPREAD, UNKNOWN_LEAST, Batch.JOBS_MAX)
        : (int) Math.clamp(BATCH_MICROS / Math.max(1, known), 1, Batch.JOBS_MAX);
  }

  public double expectedMicros(String kind) {
    return micros.getOrDefault(kind, (double) UNKNOWN_MICROS);
  }

  /**
   * Takes in the mean run time of jobs that have just ended here. It counts by the number of jobs:
   * otherwise one job that met a busy processor outweighs the many that ran in no time after it.
   */
  public void sample(String kind, double meanMicros, int jobs) {
    if (micros.size() >= KINDS_MAX && !micros.containsKey(kind)) {
      return;
    }
    double weight = 1 - Math.pow(1 - NEW, jobs);
    micros.merge(kind, meanMicros, (old, now) -> old + weight * (now - old));
    measuredHere.put(kind, true);
  }

  /** What this node has measured, in microseconds. */
  public Map<String, Long> measured() {
    Map<String, Long> measured = new HashMap<>();
    for (String kind : measuredHere.keySet()) {
      measured.put(kind, Math.round(expectedMicros(kind)));
    }
    return measured;
  }

  /** Takes over the fleet's averages for kinds that this node does not run itself. */
  public void learn(Map<String, Long> fleet) {
    fleet.forEach((kind, average) -> {
      if (!measuredHere.containsKey(kind) && micros.size() < KINDS_MAX) {
        micros.put(kind, (double) average);
      }
    });
  }
}
