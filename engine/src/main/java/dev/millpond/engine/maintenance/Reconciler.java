package dev.millpond.engine.maintenance;

import dev.millpond.engine.Timing;
import dev.millpond.engine.dispatch.BatchMaker;
import dev.millpond.engine.dispatch.DispatchException;
import dev.millpond.engine.dispatch.Lane;
import dev.millpond.engine.dispatch.Lanes;
import dev.millpond.engine.dispatch.streams.StreamsKeeper;
import dev.millpond.engine.maintenance.store.FeedStore;
import dev.millpond.engine.maintenance.store.FeedStore.Sent;
import dev.millpond.engine.maintenance.store.RescueStore;
import dev.millpond.engine.maintenance.store.RescueStore.Lost;
import dev.millpond.engine.maintenance.store.RescueStore.Rescued;
import dev.millpond.engine.metrics.EngineMetrics;
import dev.millpond.engine.metrics.EngineMetrics.Step;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What happens when Redis loses data (rule R12): rows that PostgreSQL believes on a stream, and
 * that are neither undelivered nor pending there in two sightings a settle time apart, are
 * re-dispatched. PostgreSQL is read first, so that an entry that ends in between is no finding.
 * Costs the window, not the backlog.
 */
final class Reconciler {
  private static final Logger log = LoggerFactory.getLogger(Reconciler.class);

  /**
   * Limits of one look.
   *
   * @param candidates streamed rows looked at
   * @param page rows repaired in one transaction
   */
  record Config(Timing timing, int candidates, int page) {
    static Config of(Timing timing) {
      return new Config(timing, 20_000, 500);
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
  private final Map<UUID, Long> sightings = new HashMap<>();

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
    noteLosses();
    if (!onTheirWay) {
      sightings.clear();
      return new Result(0, 0);
    }
    List<Sent> candidates =
        leadership.call(
            tx -> FeedStore.sentBefore(tx, config.timing().settle(), config.candidates()));
    List<UUID> missing = missing(candidates);
    List<UUID> twice = seenTwice(missing);
    int reconciled = 0;
    for (int from = 0; from < twice.size(); from += config.page()) {
      List<UUID> page = twice.subList(from, Math.min(from + config.page(), twice.size()));
      Rescued rescued = leadership.call(tx -> RescueStore.batches(tx, page, maker, false));
      for (Lost job : rescued.rescued()) {
        metrics.count(Step.RECONCILED, job.lane(), job.kind(), 1);
      }
      reconciled += rescued.rescued().size();
    }
    if (reconciled > 0) {
      log.info("{} jobs had vanished from their streams and were re-dispatched", reconciled);
      fed.run();
    }
    return new Result(missing.size(), reconciled);
  }

  private void noteLosses() {
    for (StreamsKeeper keeper : streams.keepers()) {
      try {
        if (keeper.up() && keeper.lostData(epoch)) {
          log.info("{} is new, or has lost its data", keeper.name());
        }
      } catch (DispatchException e) {
        log.debug("{}: {}", keeper.name(), e.getMessage());
      }
    }
  }

  private List<UUID> missing(List<Sent> candidates) {
    Map<Lane, List<Sent>> byLane = new HashMap<>();
    for (Sent sent : candidates) {
      byLane.computeIfAbsent(sent.lane(), lane -> new ArrayList<>()).add(sent);
    }
    List<UUID> missing = new ArrayList<>();
    byLane.forEach((lane, rows) -> {
      lanes.learn(List.of(lane.queue()));
      Map<StreamsKeeper, Set<UUID>> present = new HashMap<>();
      for (Sent row : rows) {
        StreamsKeeper keeper = streams.of(row.shard());
        if (keeper == null
            || !present.computeIfAbsent(keeper, k -> present(k, lane)).contains(row.id())) {
          missing.add(row.id());
        }
      }
    });
    return missing;
  }

  /** Nothing is there on a server that does not answer: its rows go another way. */
  private static Set<UUID> present(StreamsKeeper keeper, Lane lane) {
    try {
      return keeper.present(lane);
    } catch (DispatchException e) {
      log.debug("{}: {}", keeper.name(), e.getMessage());
      return new HashSet<>();
    }
  }

  private List<UUID> seenTwice(List<UUID> missing) {
    long now = System.nanoTime();
    long apart = config.timing().settle().toNanos();
    sightings.keySet().retainAll(new HashSet<>(missing));
    List<UUID> twice = new ArrayList<>();
    for (UUID id : missing) {
      Long first = sightings.putIfAbsent(id, now);
      if (first != null && now - first >= apart) {
        twice.add(id);
        sightings.remove(id);
      }
    }
    return twice;
  }
}
