package dev.millpond.engine.maintenance;

import dev.millpond.engine.GuardConfig;
import dev.millpond.engine.Timing;
import dev.millpond.engine.dispatch.BatchMaker;
import dev.millpond.engine.dispatch.Claimed;
import dev.millpond.engine.dispatch.DispatchException;
import dev.millpond.engine.dispatch.Lane;
import dev.millpond.engine.dispatch.Lanes;
import dev.millpond.engine.dispatch.streams.StreamsKeeper;
import dev.millpond.engine.dispatch.streams.StreamsKeeper.Left;
import dev.millpond.engine.maintenance.store.Fates;
import dev.millpond.engine.maintenance.store.ReaperStore;
import dev.millpond.engine.maintenance.store.ReaperStore.LostRunning;
import dev.millpond.engine.maintenance.store.ReaperStore.Sessions;
import dev.millpond.engine.maintenance.store.RescueStore;
import dev.millpond.engine.maintenance.store.RescueStore.Lost;
import dev.millpond.engine.maintenance.store.RescueStore.Rescued;
import dev.millpond.engine.maintenance.store.RescueStore.Taken;
import dev.millpond.engine.metrics.EngineMetric;
import dev.millpond.engine.metrics.EngineMetrics;
import dev.millpond.engine.metrics.EngineMetrics.Step;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What happens when a worker dies (rule R9): sessions without beats are fenced, and what they held
 * is rescued: batches they had claimed, stream entries they left, jobs they were running.
 */
final class Reaper {
  private static final Logger log = LoggerFactory.getLogger(Reaper.class);

  /** Pages of entries of one server in one look; the streams of a fleet hold fewer. */
  private static final int IDLE_PAGES = 20;

  private static final Duration FORGET_EVERY = Duration.ofHours(1);

  /**
   * Limits of one look.
   *
   * @param page holders taken in one transaction
   * @param guard how long a running job of a class may go unseen although its session lives
   * @param consumerIdle how long a consumer of streams is kept, when nothing is known of its
   *     process
   */
  record Config(Timing timing, int page, GuardConfig guard, Duration consumerIdle) {
    static Config of(Timing timing) {
      return of(timing, GuardConfig.DEFAULT);
    }

    static Config of(Timing timing, GuardConfig guard) {
      return new Config(timing, 500, guard, Duration.ofHours(1));
    }
  }

  /**
   * What one look found.
   *
   * @param quiet whether no job runs as a row of its own, no session is silent or lost, and this
   *     was no time of grace
   */
  record Result(Set<UUID> fenced, int rescued, int cancelled, int buried, boolean quiet) {}

  private final Leadership leadership;
  private final Streams streams;
  private final Lanes lanes;
  private final BatchMaker maker;
  private final EngineMetrics metrics;
  private final Config config;
  private final Runnable fed;
  private long graceUntilNanos = System.nanoTime();
  private long lastLookNanos = System.nanoTime();
  private long lastEpoch;
  private boolean sawMostSilent;

  /** Whether most processes had missed a beat in this look at the streams, and in the last one. */
  private boolean mostMissing;

  private boolean mostMissingBefore;
  private int lastFenced;
  private long nextClaimScanNanos = System.nanoTime();

  /** When to look at the streams although no rows are on their way. */
  private long nextStreamsNanos = System.nanoTime();

  private long nextForgetNanos = System.nanoTime();

  /**
   * @param fed told when there are new waiting rows, or jobs that are due
   */
  Reaper(
      Leadership leadership,
      Streams streams,
      Lanes lanes,
      BatchMaker maker,
      EngineMetrics metrics,
      Config config,
      Runnable fed) {
    this.leadership = leadership;
    this.streams = streams;
    this.lanes = lanes;
    this.maker = maker;
    this.metrics = metrics;
    this.config = config;
    this.fed = fed;
  }

  /** Looks once. */
  Result runOnce() {
    return runOnce(true);
  }

  /**
   * Looks once.
   *
   * @param onTheirWay whether there are dispatch rows: without any, what is left on streams names
   *     ended jobs, and is removed now and then
   */
  Result runOnce(boolean onTheirWay) {
    mostMissingBefore = mostMissing;
    mostMissing = false;
    Sessions sessions =
        leadership.read(connection -> ReaperStore.look(connection, config.timing().lease()));
    if (inGrace(sessions.young())) {
      return new Result(Set.of(), 0, 0, 0, false);
    }
    Set<UUID> fenced = fence(sessions);
    // More than before without our doing: somebody has seen a process die.
    int fencedBefore = lastFenced;
    lastFenced = sessions.fenced() + fenced.size();
    Tally tally = new Tally();
    if (claimScanIsDue() || !fenced.isEmpty() || sessions.fenced() > fencedBefore) {
      reapClaimed(tally);
    }
    if (sessions.running()) {
      reapRunning(tally);
    }
    if (onTheirWay || System.nanoTime() - nextStreamsNanos >= 0) {
      nextStreamsNanos = System.nanoTime() + config.timing().settle().multipliedBy(2).toNanos();
      for (StreamsKeeper keeper : streams.keepers()) {
        reapIdle(keeper, tally);
      }
    }
    if (sessions.fenced() > 0) {
      leadership.call(ReaperStore::forget);
    }
    if (System.nanoTime() - nextForgetNanos >= 0) {
      nextForgetNanos = System.nanoTime() + FORGET_EVERY.toNanos();
      forgetConsumers();
    }
    if (tally.rescued + tally.cancelled + tally.buried > 0) {
      fed.run(); // or the webhooks of those that have ended are due
    }
    boolean quiet = !sessions.running() && sessions.silent() + sessions.fenced() == 0;
    return new Result(fenced, tally.rescued, tally.cancelled, tally.buried, quiet);
  }

  private static final class Tally {
    int rescued;
    int cancelled;
    int buried;
  }

  /**
   * For one lease after PostgreSQL has started, or was out of our reach, beats may have been missed
   * that were no worker's fault. While the lease was renewed it was within reach, and only our own
   * connection dead.
   */
  private boolean inGrace(boolean young) {
    long lease = config.timing().lease().toNanos();
    long silence = leadership.takeLongestSilence().toNanos();
    long now = System.nanoTime();
    if (lastEpoch == leadership.epoch() && now - lastLookNanos > lease / 2 && silence > lease / 2) {
      graceUntilNanos = now + lease;
    }
    lastLookNanos = now;
    lastEpoch = leadership.epoch();
    return young || now - graceUntilNanos < 0;
  }

  /** More than half of the sessions silent may be our own fault: then it takes a second look. */
  private Set<UUID> fence(Sessions sessions) {
    if (sessions.silent() == 0) {
      sawMostSilent = false;
      return Set.of();
    }
    boolean most = sessions.silent() > sessions.live();
    if (most && !sawMostSilent) {
      sawMostSilent = true;
      return Set.of();
    }
    sawMostSilent = false;
    Set<UUID> fenced = leadership.call(ReaperStore::fence);
    if (!fenced.isEmpty()) {
      metrics.add(EngineMetric.SESSIONS_FENCED, fenced.size());
      log.warn("fenced {} silent sessions: {}", fenced.size(), fenced);
    }
    return fenced;
  }

  private boolean claimScanIsDue() {
    return System.nanoTime() - nextClaimScanNanos >= 0;
  }

  /**
   * A scan of the table: only after a fence, and now and then for what a live worker has mislaid.
   */
  private void reapClaimed(Tally tally) {
    nextClaimScanNanos = System.nanoTime() + config.timing().lease().toNanos();
    Duration longest = config.timing().lease().plus(config.timing().settle().multipliedBy(2));
    int[] taken = new int[1];
    do {
      count(
          leadership.call(tx -> {
            List<Taken> lost = ReaperStore.claimedByLost(tx, longest, config.page());
            taken[0] = lost.size();
            return RescueStore.taken(tx, lost, maker);
          }),
          tally);
    } while (taken[0] == config.page());
  }

  private void reapRunning(Tally tally) {
    Duration grace = config.timing().settle().multipliedBy(2);
    while (true) {
      LostRunning[] found = new LostRunning[1];
      Rescued rescued =
          leadership.call(tx -> {
            LostRunning lost =
                ReaperStore.running(
                    tx,
                    grace,
                    config.guard().visibility(),
                    config.guard().otherVisibility(),
                    config.page());
            found[0] = lost;
            ReaperStore.recordAttempts(tx, lost.toRescue());
            ReaperStore.recordAttempts(tx, lost.toCancel());
            ReaperStore.cancel(tx, lost.toCancel());
            return RescueStore.jobs(tx, lost.toRescue(), "running", maker);
          });
      count(rescued, tally);
      for (Lost cancelled : found[0].toCancel()) {
        metrics.count(Step.CANCELLED, cancelled.lane(), cancelled.kind(), 1);
        tally.cancelled++;
      }
      if (found[0].toRescue().size() + found[0].toCancel().size() < config.page()) {
        return;
      }
    }
  }

  /**
   * Entries that were delivered and left for two settle times. One whose process has beaten long
   * enough after it got the entry is taken from it, alive as it is; one whose process is lost, or
   * has missed a beat, counts as lost with it. In between it is left a little longer.
   */
  private void reapIdle(StreamsKeeper keeper, Tally tally) {
    Duration idle = config.timing().settle().multipliedBy(2);
    List<Lane> all = lanes.ofFleet();
    try {
      for (int pages = 0; pages < IDLE_PAGES && !all.isEmpty(); pages++) {
        List<Left> left = keeper.left(all, idle, config.page());
        if (left.isEmpty()) {
          break;
        }
        List<Decided> decided = decide(left);
        for (int from = 0; from < decided.size(); from += config.page()) {
          reapIdle(
              keeper, decided.subList(from, Math.min(from + config.page(), decided.size())), tally);
        }
        if (decided.size() < config.page()) {
          break;
        }
      }
    } catch (DispatchException e) {
      log.debug("{}: {}", keeper.name(), e.getMessage());
    }
  }

  /** Each start of a process is another consumer of each group, and Redis keeps them all. */
  private void forgetConsumers() {
    if (streams.keepers().isEmpty()) {
      return;
    }
    Set<String> live =
        leadership.read(Fates::read).known().stream()
            .map(UUID::toString)
            .collect(Collectors.toUnmodifiableSet());
    for (StreamsKeeper keeper : streams.keepers()) {
      try {
        int forgotten = keeper.forgetConsumers(lanes.ofFleet(), live, config.consumerIdle());
        log.debug("{}: {} consumers of ended processes removed", keeper.name(), forgotten);
      } catch (DispatchException e) {
        log.debug("{}: {}", keeper.name(), e.getMessage());
      }
    }
  }

  /** An entry to take, and the process with which it was lost; null for none. */
  private record Decided(Left left, @Nullable UUID process) {}

  private void reapIdle(StreamsKeeper keeper, List<Decided> page, Tally tally) {
    List<@Nullable Claimed> entries = keeper.read(page.stream().map(Decided::left).toList());
    List<Taken> taken = new ArrayList<>();
    List<Claimed> gone = new ArrayList<>();
    for (int i = 0; i < page.size(); i++) {
      Claimed entry = entries.get(i);
      if (entry != null) {
        taken.add(new Taken(entry.batch().id(), page.get(i).process()));
        gone.add(entry);
      }
    }
    count(leadership.call(tx -> RescueStore.taken(tx, taken, maker)), tally);
    keeper.remove(gone);
  }

  /** Those of which it can be told whether their process lives. */
  private List<Decided> decide(List<Left> left) {
    Fates fates = leadership.read(Fates::read);
    Duration late = config.timing().beat().plus(config.timing().settle().multipliedBy(2));
    boolean most = fates.mostSilentFor(late);
    mostMissing |= most;
    boolean trust = !most || mostMissingBefore; // it may be our own fault: it takes a second look
    List<Decided> decided = new ArrayList<>();
    for (Left entry : left) {
      UUID process = process(entry);
      Duration sinceSettled = Duration.ofMillis(entry.idleMillis()).minus(config.timing().settle());
      if (process == null || !fates.knows(process) || fates.heardWithin(process, sinceSettled)) {
        decided.add(new Decided(entry, null));
      } else if (fates.lost(process) || (trust && !fates.heardWithin(process, late))) {
        decided.add(new Decided(entry, process));
      }
    }
    return decided;
  }

  private static @Nullable UUID process(Left entry) {
    try {
      return UUID.fromString(entry.consumer());
    } catch (IllegalArgumentException e) {
      return null;
    }
  }

  private void count(Rescued rescued, Tally tally) {
    for (Lost job : rescued.rescued()) {
      metrics.count(Step.RESCUED, job.lane(), job.kind(), 1);
    }
    for (Lost job : rescued.buried()) {
      metrics.count(Step.DEAD, job.lane(), job.kind(), 1);
    }
    tally.rescued += rescued.rescued().size();
    tally.buried += rescued.buried().size();
  }
}
