package dev.millpond.engine.maintenance;

import static java.util.Objects.requireNonNull;

import dev.millpond.engine.dispatch.Barred;
import dev.millpond.engine.dispatch.Batch;
import dev.millpond.engine.dispatch.DispatchException;
import dev.millpond.engine.dispatch.Readers;
import dev.millpond.engine.dispatch.store.DispatchStore;
import dev.millpond.engine.dispatch.store.DispatchStore.Sort;
import dev.millpond.engine.dispatch.store.ReaderStore;
import dev.millpond.engine.dispatch.streams.StreamsKeeper;
import dev.millpond.engine.maintenance.store.FeedStore;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Puts waiting rows on streams as long as those have room (rule R11): the backlog of a stream that
 * was full, retries that are due, rescues, hand-backs. Only a window of each queue is ever in
 * Redis.
 *
 * <p>A row goes to its own shard; where that one takes none, another one adopts it. Rows of a kind
 * that no reader of a stream runs stay in the table, and are marked as meant for no stream when
 * workers that run it wait for them on a stream that takes none.
 */
final class Feeder {
  private static final Logger log = LoggerFactory.getLogger(Feeder.class);

  /** Rows that were passed over, since they are marked already, are looked at again then. */
  private static final Duration DIRECT_FULL_LOOK = Duration.ofSeconds(2);

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

  /** What one look did: batches put on streams, and batches marked as meant for none. */
  record Result(int batches, int direct) {}

  private record Survey(List<Sort> sorts, Readers readers) {}

  private final Leadership leadership;
  private final Streams streams;
  private final Supplier<Barred> barred;
  private final Config config;
  private final Map<Sort, UUID> marked = new HashMap<>();
  private long fullLookNanos = System.nanoTime();
  private int turn;

  /**
   * @param barred what stays in the table now
   */
  Feeder(Leadership leadership, Streams streams, Supplier<Barred> barred, Config config) {
    this.leadership = leadership;
    this.streams = streams;
    this.barred = barred;
    this.config = config;
  }

  /** Looks once. */
  Result runOnce() {
    boolean fullLook = System.nanoTime() - fullLookNanos >= 0;
    if (streams.keepers().isEmpty() && !fullLook && marked.isEmpty()) {
      return new Result(0, 0); // of no use but to fleets of which others have streams
    }
    if (fullLook) {
      marked.clear();
      fullLookNanos = System.nanoTime() + DIRECT_FULL_LOOK.toNanos();
    }
    Survey survey =
        leadership.call(tx -> new Survey(DispatchStore.sorts(tx), ReaderStore.read(tx)));
    Map<Integer, StreamsKeeper> usable = new LinkedHashMap<>();
    for (StreamsKeeper keeper : streams.keepers()) {
      if (keeper.usable()) {
        keeper.shards().forEach(shard -> usable.put(shard, keeper));
      }
    }
    int fed = 0;
    int direct = 0;
    Barred now = barred.get();
    for (Sort sort : survey.sorts()) {
      if (now.bars(sort.lane().queue(), sort.kind())) {
        continue;
      }
      List<Integer> taking =
          usable.keySet().stream()
              .filter(shard -> survey.readers().read(shard, sort.kind()))
              .toList();
      turn++; // adopted rows go to each in its turn
      for (int i = 0; i < taking.size(); i++) {
        int shard = taking.get((turn + i) % taking.size());
        fed += feed(requireNonNull(usable.get(shard)), sort, shard, taking);
      }
      Set<Integer> awaited = survey.readers().shardsOf(sort.kind());
      if (taking.isEmpty() && !awaited.isEmpty()) {
        direct += markDirect(sort, awaited);
      }
    }
    return new Result(fed, direct);
  }

  private int feed(StreamsKeeper keeper, Sort sort, int shard, List<Integer> taking) {
    try {
      long room = config.window() - keeper.length(shard, sort.lane());
      if (room <= 0) {
        return 0;
      }
      int limit = (int) Math.min(room, config.page());
      List<Batch> batches =
          new ArrayList<>(
              leadership.call(tx -> FeedStore.markSent(tx, sort, shard, taking, limit)));
      List<Batch> refused = keeper.add(batches);
      if (!refused.isEmpty()) {
        leadership.call(tx -> FeedStore.markWaiting(tx, refused));
      }
      return batches.size() - refused.size();
    } catch (DispatchException e) {
      // Marked as sent, and perhaps not on the stream: the reconciler finds them.
      log.debug("{}: {}", keeper.name(), e.getMessage());
      return 0;
    }
  }

  private int markDirect(Sort sort, Set<Integer> shards) {
    UUID after = marked.getOrDefault(sort, FeedStore.LOWEST);
    List<UUID> ids =
        leadership.call(tx -> FeedStore.markDirect(tx, sort, shards, after, config.page()));
    if (!ids.isEmpty()) {
      marked.put(sort, ids.getLast());
    }
    return ids.size();
  }
}
