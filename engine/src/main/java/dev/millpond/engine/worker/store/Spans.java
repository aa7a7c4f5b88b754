package dev.millpond.engine.worker.store;

import dev.millpond.engine.dispatch.Batch;
import dev.millpond.engine.lifecycle.store.IdTime;
import dev.millpond.engine.lifecycle.store.PgArray;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Where in the order of ids the jobs of some batches lie: one span a batch. Jobs that were
 * submitted together have ids next to each other, so a walk along a span reads little else, at a
 * third of the cost of looking up one id after the other.
 *
 * @param low first id of each span
 * @param high last id of each span
 * @param most rows to read of each at most; a span with as many is too mixed to be read this way
 */
@SuppressWarnings("ArrayRecordComponent") // the arrays go as they are into SQL
record Spans(UUID[] low, UUID[] high, int[] most) {
  /** Ids of one batch made further apart than this are expected to have many others between. */
  private static final long MILLIS_MAX = 8;

  /** Rows beyond twice the jobs of a batch that are read for nothing. */
  private static final int SPARE = 64;

  /**
   * The spans of batches; null when one of them is not worth it: its jobs are far apart, or not all
   * at their first token, so that they come from different times.
   */
  static @Nullable Spans of(List<Batch> batches) {
    int count = batches.size();
    Spans spans = new Spans(new UUID[count], new UUID[count], new int[count]);
    for (int i = 0; i < count; i++) {
      Batch batch = batches.get(i);
      UUID low = batch.jobIds()[0];
      UUID high = low;
      for (UUID id : batch.jobIds()) {
        low = PgArray.UUID_ORDER.compare(id, low) < 0 ? id : low;
        high = PgArray.UUID_ORDER.compare(id, high) > 0 ? id : high;
      }
      if (batch.tokens() != null || IdTime.millis(high) - IdTime.millis(low) > MILLIS_MAX) {
        return null;
      }
      spans.low[i] = low;
      spans.high[i] = high;
      spans.most[i] = 2 * batch.size() + SPARE;
    }
    return spans;
  }

  int size() {
    return low.length;
  }
}
