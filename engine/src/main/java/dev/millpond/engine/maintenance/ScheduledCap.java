package dev.millpond.engine.maintenance;

import dev.millpond.engine.maintenance.store.ScheduledStore;
import dev.millpond.engine.maintenance.store.ScheduledStore.Changed;
import java.util.concurrent.TimeUnit;

/**
 * Says of which queues no more jobs may be scheduled: those that have so many which are scheduled
 * or wait. It counts them now and then, so a queue comes beyond its cap by what is submitted
 * meanwhile.
 */
final class ScheduledCap {
  /**
   * How much there may be.
   *
   * @param most jobs of a queue that are scheduled or wait; below nine tenths of it more may come
   * @param bytesLeast size of the table below which nothing is counted: so many are not in it
   */
  record Config(long most, long bytesLeast) {
    static final Config DEFAULT = new Config(1_000_000, 64 << 20);
  }

  /**
   * What one look did.
   *
   * @param full queues that have become full
   * @param open queues that are not any more
   */
  record Result(int full, int open) {}

  /** Counting reads the table; it may take this share of the time. */
  private static final int COUNT_SHARE = 20;

  private final Leadership leadership;
  private final Config config;
  private long countAtNanos = System.nanoTime();

  ScheduledCap(Leadership leadership, Config config) {
    this.leadership = leadership;
    this.config = config;
  }

  Result runOnce() {
    long began = System.nanoTime();
    if (began - countAtNanos < 0) {
      return new Result(0, 0);
    }
    Changed changed =
        leadership.call(tx -> ScheduledStore.mark(tx, config.most(), config.bytesLeast()));
    long took = System.nanoTime() - began;
    countAtNanos = System.nanoTime() + Math.max(TimeUnit.SECONDS.toNanos(1), COUNT_SHARE * took);
    return new Result(changed.full(), changed.open());
  }
}
