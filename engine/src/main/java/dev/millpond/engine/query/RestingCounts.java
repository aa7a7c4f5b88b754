package dev.millpond.engine.query;

import dev.millpond.engine.lifecycle.store.Transactions;
import dev.millpond.engine.query.store.QueueReadStore;
import dev.millpond.engine.query.store.QueueReadStore.Resting;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * How many jobs of each queue are scheduled, waiting or dead. No counter is kept of them, which
 * would cost each retry a write; they are counted when someone asks, one count at a time, and a
 * count serves for twenty times as long as it took. So it is of this moment while there are few,
 * and however many there are and however often one asks, it takes a twentieth of a connection.
 * Thread-safe.
 */
public final class RestingCounts {
  private static final int SERVES_TIMES = 20;

  private final Transactions transactions;
  private final ReentrantLock counting = new ReentrantLock();
  private volatile @Nullable Counted last;

  public RestingCounts(Transactions transactions) {
    this.transactions = transactions;
  }

  private record Counted(Map<String, Resting> counts, long atNanos, long tookNanos) {
    boolean serves() {
      return System.nanoTime() - atNanos < SERVES_TIMES * tookNanos;
    }
  }

  /** By queue; as last counted while another caller counts. */
  public Map<String, Resting> get() {
    Counted known = last;
    if (known != null && known.serves()) {
      return known.counts();
    }
    if (known == null) {
      counting.lock();
    } else if (!counting.tryLock()) {
      return known.counts();
    }
    try {
      Counted meanwhile = last;
      if (meanwhile != null && meanwhile.serves()) {
        return meanwhile.counts();
      }
      long began = System.nanoTime();
      Map<String, Resting> counts = transactions.callOrThrow(QueueReadStore::resting);
      long now = System.nanoTime();
      last = new Counted(counts, now, now - began);
      return counts;
    } finally {
      counting.unlock();
    }
  }
}
