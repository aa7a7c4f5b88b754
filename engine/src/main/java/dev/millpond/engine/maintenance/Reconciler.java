package dev.millpond.engine.maintenance;

import static java.util.Objects.requireNonNull;

import dev.millpond.engine.Timing;
import dev.millpond.engine.dispatch.BatchMaker;
import dev.millpond.engine.dispatch.Claimed;
import dev.millpond.engine.dispatch.DispatchException;
import dev.millpond.engine.dispatch.Lane;
import dev.millpond.engine.dispatch.Lanes;
import dev.millpond.engine.dispatch.Readers;
import dev.millpond.engine.dispatch.store.ReaderStore;
import dev.millpond.engine.dispatch.streams.StreamsKeeper;
import dev.millpond.engine.maintenance.store.FeedStore;
import dev.millpond.engine.maintenance.store.FeedStore.Sent;
import dev.millpond.engine.maintenance.store.RescueStore;
import dev.millpond.engine.maintenance.store.RescueStore.Rescued;
import dev.millpond.engine.metrics.EngineMetric;
import dev.millpond.engine.metrics.EngineMetrics;
import dev.millpond.engine.metrics.EngineMetrics.Step;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What happens when Redis loses data (rule R12): rows that PostgreSQL believes on a stream, and
 * that are neither undelivered nor pending there in two sightings a settle time apart, are
 * re-dispatched. PostgreSQL is read first, so that an entry that ends in between is no finding.
 * Costs the window, not the backlog.
 *
 * <p>So are rows whose entries nobody can reach: those on a server that this process does not know,
 * unless a worker says that it reads there, and those on a shard that no worker of their kind reads
 * while such workers live elsewhere. These go straight from PostgreSQL.
 *
 * <p>A server that was away takes new batches only once it has been looked through in this way: a
 * missing mark on a shard asks for it, and it is made after two looks.
 */
final class Reconciler {
  private static final Logger log = LoggerFactory.getLogger(Reconciler.class);

  /**
   * Limits of one look.
   *
   * @param candidates streamed rows read in one transaction
   * @param pages of them, at most; the oldest ones come first
   * @param page rows repaired in one transaction
   */
  record Config(Timing timing, int candidates, int pages, int page) {
    static Config of(Timing timing) {
      return new Config(timing, 20_000, 10, 500);
    }
  }

  /** What one look found: rows not on their stream, and jobs re-dispatched. */
  record Result(int missing, int reconciled) {}

  private final Leadership leadership;
  private final Streams streams;
  private final Lanes lanes;
  private final BatchMaker maker;
  private final EngineMetrics metrics;
  private final Config config;
  private final Runnable fed;
  private final String epoch;
  private volatile int missing;
  private final Map<UUID, Long> sightings = new HashMap<>();

  /** Shards without a mark, and the look that first found them so. */
  private final Map<Integer, Long> unmarked = new HashMap<>();

  /**
   * @param epoch written into a server that has lost its data, to tell
   * @param fed told when there are new waiting rows
   */
  Reconciler(
      Leadership leadership,
      Streams streams,
      Lanes lanes,
      BatchMaker maker,
      EngineMetrics metrics,
      Config config,
      String epoch,
      Runnable fed) {
    this.leadership = leadership;
    this.streams = streams;
    this.lanes = lanes;
    this.maker = maker;
    this.metrics = metrics;
    this.config = config;
    this.epoch = epoch;
    this.fed = fed;
    metrics.gauge(EngineMetric.RECONCILER_MISSING, () -> leadership.held() ? missing : 0);
  }

  /** Looks once. */
  Result runOnce() {
    return runOnce(true);
  }

  /**
   * Looks once.
   *
   * @param onTheirWay whether there are dispatch rows at all
   */
  Result runOnce(boolean onTheirWay) {
    noteUnmarked();
    if (!onTheirWay) {
      sightings.clear();
      missing = 0;
      mark(Duration.ZERO);
      return new Result(0, 0);
    }
    Lost lost = lost(candidates());
    List<UUID> twice = seenTwice(lost);
    int reconciled =
        redispatch(twice.stream().filter(id -> !lost.unreached().containsKey(id)), false);
    List<UUID> unreached = twice.stream().filter(lost.unreached()::containsKey).toList();
    int takenBack = redispatch(unreached.stream(), true);
    unreached.forEach(id -> requireNonNull(lost.unreached().get(id)).remove());
    if (reconciled > 0) {
      log.info("{} jobs had vanished from their streams and were re-dispatched", reconciled);
    }
    if (takenBack > 0) {
      log.info("{} jobs were on streams that no worker of theirs reads; taken back", takenBack);
    }
    if (reconciled + takenBack > 0) {
      fed.run();
    }
    missing = lost.ids().size();
    mark(config.timing().settle());
    return new Result(lost.ids().size(), reconciled + takenBack);
  }

  private int redispatch(Stream<UUID> ids, boolean direct) {
    List<UUID> all = ids.toList();
    int reconciled = 0;
    for (int from = 0; from < all.size(); from += config.page()) {
      List<UUID> page = all.subList(from, Math.min(from + config.page(), all.size()));
      Rescued rescued = leadership.call(tx -> RescueStore.batches(tx, page, maker, direct));
      for (RescueStore.Lost job : rescued.rescued()) {
        metrics.count(Step.RECONCILED, job.lane(), job.kind(), 1);
      }
      reconciled += rescued.rescued().size();
    }
    return reconciled;
  }

  private void noteUnmarked() {
    long now = System.nanoTime();
    for (StreamsKeeper keeper : streams.keepers()) {
      try {
        List<Integer> without = keeper.unmarked();
        unmarked.keySet().removeIf(shard -> keeper.holds(shard) && !without.contains(shard));
        without.forEach(shard -> unmarked.putIfAbsent(shard, now));
      } catch (DispatchException e) {
        // What it had is being re-dispatched; it is looked through from its return on.
        unmarked.keySet().removeIf(keeper::holds);
        log.debug("{}: {}", keeper.name(), e.getMessage());
      }
    }
  }

  /** Marks shards that have been looked through for so long. */
  private void mark(Duration looked) {
    long now = System.nanoTime();
    for (int shard : List.copyOf(unmarked.keySet())) {
      StreamsKeeper keeper = streams.of(shard);
      if (keeper == null || now - requireNonNull(unmarked.get(shard)) < looked.toNanos()) {
        continue;
      }
      try {
        keeper.mark(shard, epoch);
        unmarked.remove(shard);
        log.info("{} ({}): shard {} is reconciled", keeper.name(), keeper.place(), shard);
      } catch (DispatchException e) {
        log.debug("{}: {}", keeper.name(), e.getMessage());
      }
    }
  }

  private record Candidates(List<Sent> rows, Readers readers) {}

  private Candidates candidates() {
    List<Sent> rows = new ArrayList<>();
    Readers[] readers = {Readers.UNKNOWN};
    for (int i = 0; i < config.pages(); i++) {
      Sent after = rows.isEmpty() ? null : rows.getLast();
      boolean first = i == 0;
      List<Sent> page =
          leadership.call(tx -> {
            if (first) {
              readers[0] = ReaderStore.read(tx);
            }
            return FeedStore.sentBefore(
                tx, config.timing().settle(), config.timing().lease(), after, config.candidates());
          });
      rows.addAll(page);
      if (page.size() < config.candidates()) {
        break;
      }
    }
    return new Candidates(rows, readers[0]);
  }

  /** An entry that nobody reads. */
  private record Unread(StreamsKeeper keeper, Claimed entry) {
    /** Removes it, once its row is gone; otherwise whoever reads it does. */
    void remove() {
      try {
        keeper.remove(List.of(entry));
      } catch (DispatchException e) {
        log.debug("{}: {}", keeper.name(), e.getMessage());
      }
    }
  }

  /** Rows that nobody will come to by their streams; those of them whose entries are there. */
  private record Lost(List<UUID> ids, Map<UUID, Unread> unreached) {}

  private Lost lost(Candidates candidates) {
    Map<Lane, List<Sent>> byLane = new HashMap<>();
    for (Sent sent : candidates.rows()) {
      byLane.computeIfAbsent(sent.lane(), lane -> new ArrayList<>()).add(sent);
    }
    Lost lost = new Lost(new ArrayList<>(), new HashMap<>());
    byLane.forEach((lane, rows) -> {
      lanes.learn(lane);
      look(lane, rows, candidates.readers(), lost);
    });
    return lost;
  }

  private void look(Lane lane, List<Sent> rows, Readers readers, Lost lost) {
    Map<StreamsKeeper, Map<UUID, Claimed>> present = new HashMap<>();
    for (Sent row : rows) {
      boolean read = readers.read(row.shard(), row.kind());
      StreamsKeeper keeper = streams.of(row.shard());
      if (keeper == null) {
        // Whether it is there is for its readers to say; one that stays for long is not.
        if (row.old() || !read) {
          lost.ids().add(row.id());
        }
        continue;
      }
      Claimed entry = present.computeIfAbsent(keeper, k -> present(k, lane)).get(row.id());
      if (entry == null) {
        lost.ids().add(row.id());
      } else if (!read && readers.runs(row.kind())) {
        lost.ids().add(row.id());
        lost.unreached().put(row.id(), new Unread(keeper, entry));
      }
    }
  }

  /** Nothing is there on a server that does not answer: its rows go another way. */
  private static Map<UUID, Claimed> present(StreamsKeeper keeper, Lane lane) {
    Map<UUID, Claimed> present = new HashMap<>();
    try {
      keeper.entries(lane).forEach(entry -> present.put(entry.batch().id(), entry));
    } catch (DispatchException e) {
      log.debug("{}: {}", keeper.name(), e.getMessage());
    }
    return present;
  }

  private List<UUID> seenTwice(Lost lost) {
    long now = System.nanoTime();
    long apart = config.timing().settle().toNanos();
    sightings.keySet().retainAll(new HashSet<>(lost.ids()));
    List<UUID> twice = new ArrayList<>();
    for (UUID id : lost.ids()) {
      Long first = sightings.putIfAbsent(id, now);
      if (first != null && now - first >= apart) {
        twice.add(id);
        sightings.remove(id);
      }
    }
    return twice;
  }
}
