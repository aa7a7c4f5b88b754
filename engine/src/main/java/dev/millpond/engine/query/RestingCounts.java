package dev.millpond.engine.query;

import dev.millpond.api.UnavailableException;
import dev.millpond.engine.lifecycle.store.Transactions;
import dev.millpond.engine.query.store.QueueReadStore;
import dev.millpond.engine.query.store.QueueReadStore.Resting;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * How many jobs of each queue are scheduled, waiting or dead. No counter is kept of them, which
 * would cost each retry a write; they are counted when someone asks, one count at a time, and a
 * count serves for twenty times as long as it took. So it is of this moment while there are few,
 * and however many there are and however often one asks, it takes a twentieth of a connection.
 * Nobody but the first waits for a count that takes long. Thread-safe.
 */
public final class RestingCounts {
  private static final int SERVES_TIMES = 20;

  /** A count that took longer is made anew beside those who ask, if somebody asks in time. */
  private static final long SLOW_NANOS = Duration.ofMillis(50).toNanos();

  private final Transactions transactions;
  private final ReentrantLock counting = new ReentrantLock();
  private volatile @Nullable Counted last;

  public RestingCounts(Transactions transactions) {
    this.transactions = transactions;
  }

  private record Counted(Map<String, Resting> counts, long atNanos, long tookNanos) {
    boolean serves() {
      return ageNanos() < SERVES_TIMES * tookNanos;
    }

    /** Whether it may be given while it is counted anew. */
    boolean servesMeanwhile() {
      return tookNanos > SLOW_NANOS && ageNanos() < 2 * SERVES_TIMES * tookNanos;
    }

    private long ageNanos() {
      return System.nanoTime() - atNanos;
    }
  }

  /** By queue; as last counted while another caller counts, or when counting takes long. */
  public Map<String, Resting> get() {
    Counted known = last;
    if (known == null) {
      counting.lock();
      try {
        Counted meanwhile = last;
        return meanwhile == null ? count() : meanwhile.counts();
      } finally {
        counting.unlock();
      }
    }
    if (known.serves()) {
      return known.counts();
    }
    if (known.servesMeanwhile()) {
      if (!counting.isLocked()) {
        Thread.ofVirtual().name("millpond-resting-counts").start(this::countAside);
      }
      return known.counts();
    }
    Map<String, Resting> anew = countAnew();
    return anew == null ? known.counts() : anew;
  }

  private void countAside() {
    try {
      countAnew();
    } catch (UnavailableException e) {
      // Whoever asks when the last count is too old counts, and is told.
    }
  }

  /** Counts unless somebody does, or just did; null then. */
  private @Nullable Map<String, Resting> countAnew() {
    if (!counting.tryLock()) {
      return null;
    }
    try {
      Counted meanwhile = last;
      return meanwhile != null && meanwhile.serves() ? meanwhile.counts() : count();
    } finally {
      counting.unlock();
    }
  }

  private Map<String, Resting> count() {
    long began = System.nanoTime();
    Map<String, Resting> counts = transactions.callOrThrow(QueueReadStore::resting);
    long now = System.nanoTime();
    last = new Counted(counts, now, now - began);
    return counts;
  }
}
