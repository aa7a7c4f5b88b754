package dev.millpond.engine.maintenance;

import dev.millpond.engine.dispatch.store.DepthStore;
import dev.millpond.engine.dispatch.store.DepthStore.Summed;
import dev.millpond.engine.maintenance.store.TidyStore;
import dev.millpond.engine.maintenance.store.TidyStore.Corrected;
import dev.millpond.engine.metrics.EngineMetric;
import dev.millpond.engine.metrics.EngineMetrics;
import java.util.concurrent.TimeUnit;

/**
 * Sums the depth deltas that flushes leave, so that reading a depth stays cheap, and corrects them
 * from the rows themselves now and then.
 */
final class DepthCompactor {
  /**
   * What one look did.
   *
   * @param rows summed
   * @param corrected lanes whose count was off
   */
  record Result(int rows, int corrected) {}

  private static final long RECALIBRATE_NANOS = TimeUnit.MINUTES.toNanos(1);

  /** Recalibrating reads the backlog; it may take this share of the time. */
  private static final int RECALIBRATE_SHARE = 20;

  private final Leadership leadership;
  private final EngineMetrics metrics;

  /** Rows of which none was to be summed with another when it last looked. */
  private long left;

  private long recalibrateAtNanos = System.nanoTime();

  DepthCompactor(Leadership leadership, EngineMetrics metrics) {
    this.leadership = leadership;
    this.metrics = metrics;
  }

  Result runOnce() {
    int rows = 0;
    long found = leadership.read(DepthStore::rows);
    if (found > left) {
      Summed summed = leadership.call(tx -> DepthStore.sumUp(tx, false));
      rows = summed.summed();
      left = summed.left();
    } else {
      left = found;
    }
    int corrected = 0;
    long started = System.nanoTime();
    if (started - recalibrateAtNanos >= 0) {
      left = leadership.call(tx -> DepthStore.sumUp(tx, true)).left();
      Corrected off = leadership.call(TidyStore::recalibrateDepth);
      Corrected bytes = leadership.call(TidyStore::recalibrateBytes);
      metrics.add(EngineMetric.DEPTH_DRIFT, off.by());
      metrics.add(EngineMetric.DEPTH_DRIFT_BYTES, bytes.by());
      corrected = off.lanes() + bytes.lanes();
      long took = System.nanoTime() - started;
      recalibrateAtNanos =
          System.nanoTime() + Math.max(RECALIBRATE_NANOS, RECALIBRATE_SHARE * took);
    }
    return new Result(rows, corrected);
  }
}
