package dev.millpond.engine.maintenance;

import dev.millpond.engine.dispatch.streams.StreamsKeeper;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The keepers of all Redis servers, in shard order; none without Redis. One set for each thread.
 */
record Streams(List<StreamsKeeper> keepers) implements AutoCloseable {
  /** The keeper that has this shard; null without Redis. */
  @Nullable StreamsKeeper of(int shard) {
    return keepers.isEmpty() ? null : keepers.get(shard % keepers.size());
  }

  @Override
  public void close() {
    keepers.forEach(StreamsKeeper::close);
  }
}
