package dev.millpond.engine.maintenance;

import dev.millpond.engine.dispatch.streams.StreamsKeeper;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The keepers of all Redis servers; none without Redis. One set for each thread. */
record Streams(List<StreamsKeeper> keepers) implements AutoCloseable {
  /** The keeper that has this shard; null when it is on no server that this process knows. */
  @Nullable StreamsKeeper of(int shard) {
    for (StreamsKeeper keeper : keepers) {
      if (keeper.holds(shard)) {
        return keeper;
      }
    }
    return null;
  }

  @Override
  public void close() {
    keepers.forEach(StreamsKeeper::close);
  }
}
