package dev.millpond.engine.maintenance;

import dev.millpond.engine.dispatch.Batch;
import dev.millpond.engine.dispatch.DispatchException;
import dev.millpond.engine.dispatch.store.DispatchStore;
import dev.millpond.engine.dispatch.store.DispatchStore.Sort;
import dev.millpond.engine.dispatch.streams.StreamsKeeper;
import dev.millpond.engine.maintenance.store.FeedStore;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Puts waiting rows on their streams as long as those have room (rule R11): the backlog of a stream
 * that was full, retries that are due, rescues, hand-backs. Only a window of each queue is ever in
 * Redis.
 */
final class Feeder {
  private static final Logger log = LoggerFactory.getLogger(Feeder.class);

  /**
   * Limits of one look.
   *
   * @param window entries of a stream up to which it is filled; above the one at which submitters
   *     stop, so that the backlog goes first
   * @param page rows taken in one transaction
   */
  record Config(int window, int page) {
    static final Config DEFAULT = new Config(3_000, 500);
  }

  /** What one look did. */
  record Result(int batches) {}

  private final Leadership leadership;
  private final Streams streams;
  private final int shards;
  private final Config config;

  Feeder(Leadership leadership, Streams streams, int shards, Config config) {
    this.leadership = leadership;
    this.streams = streams;
    this.shards = shards;
    this.config = config;
  }

  /** Looks once. */
  Result runOnce() {
    if (streams.keepers().isEmpty()) {
      return new Result(0);
    }
    int fed = 0;
    for (Sort sort : leadership.call(DispatchStore::sorts)) {
      for (int shard = 0; shard < shards; shard++) {
        StreamsKeeper keeper = streams.of(shard);
        if (keeper != null && keeper.up()) {
          fed += feed(keeper, sort, shard);
        }
      }
    }
    return new Result(fed);
  }

  private int feed(StreamsKeeper keeper, Sort sort, int shard) {
    try {
      long room = config.window() - keeper.length(shard, sort.lane());
      if (room <= 0) {
        return 0;
      }
      int limit = (int) Math.min(room, config.page());
      List<Batch> batches =
          new ArrayList<>(leadership.call(tx -> FeedStore.markSent(tx, sort, shard, limit)));
      keeper.add(batches);
      return batches.size();
    } catch (DispatchException e) {
      // Marked as sent and not on the stream: the reconciler finds them.
      log.debug("{}: {}", keeper.name(), e.getMessage());
      return 0;
    }
  }
}
