package dev.millpond.engine.maintenance;

import dev.millpond.engine.RetentionConfig;
import dev.millpond.engine.maintenance.store.Part;
import dev.millpond.engine.maintenance.store.RetentionStore;
import dev.millpond.engine.maintenance.store.RetentionStore.Cut;
import dev.millpond.engine.maintenance.store.RetentionStore.Drop;
import dev.millpond.engine.maintenance.store.RetentionStore.Manner;
import dev.millpond.engine.maintenance.store.TrimStore;
import dev.millpond.engine.metrics.EngineMetric;
import dev.millpond.engine.metrics.EngineMetrics;
import java.time.Duration;
import java.time.LocalDate;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Removes jobs that ended long enough ago (rule R18): a whole day at a time, by dropping its
 * partitions after its survivors were moved to the default ones. Where a day has too many of them,
 * and in the default partitions, single jobs are removed in pages. Confined to one thread.
 */
final class Retention {
  private static final Logger log = LoggerFactory.getLogger(Retention.class);

  /**
   * How it goes about it.
   *
   * @param succeeded how long jobs that succeeded are kept
   * @param cancelled how long cancelled ones are
   * @param dead how long dead letters are; null for until redriven
   * @param keptBehind days before today that the {@link PartitionKeeper} makes
   * @param manner of a drop
   * @param trimPage ended jobs of one trimming transaction
   * @param pages trimming transactions of one look
   * @param passEvery a part that was trimmed to its end is left alone for so long
   * @param namedMax ended jobs that dispatch rows may name; with more, nothing is removed
   */
  record Config(
      Duration succeeded,
      Duration cancelled,
      @Nullable Duration dead,
      int keptBehind,
      Manner manner,
      int trimPage,
      int pages,
      Duration passEvery,
      int namedMax) {
    static final Manner MANNER = new Manner(10_000, 16 << 20, 20_000, Duration.ofMillis(100), 5);

    static Config of(RetentionConfig kept) {
      return of(kept.succeeded(), kept.cancelled(), kept.dead());
    }

    static Config of(Duration succeeded, Duration cancelled, @Nullable Duration dead) {
      return new Config(
          succeeded,
          cancelled,
          dead,
          PartitionKeeper.Config.DEFAULT.behind(),
          MANNER,
          1_000,
          50,
          Duration.ofMinutes(10),
          100_000);
    }
  }

  /**
   * What one look did.
   *
   * @param dropped days
   * @param moved survivors of them
   * @param trimmed ended jobs removed one by one
   * @param dead letters removed
   * @param lockFailures locks that were not to be had
   * @param more whether there is more to do at once
   */
  record Result(int dropped, int moved, int trimmed, int dead, int lockFailures, boolean more) {}

  private final Leadership leadership;
  private final Config config;
  private final EngineMetrics metrics;
  private final Map<Part, Pass> passes = new HashMap<>();

  /**
   * A way through a part by id.
   *
   * @param after where it goes on; null when it is over
   * @param overAtNanos when it was
   */
  private record Pass(@Nullable UUID after, long overAtNanos) {}

  Retention(Leadership leadership, Config config, EngineMetrics metrics) {
    this.leadership = leadership;
    this.config = config;
    this.metrics = metrics;
  }

  /** Drops the oldest day that is due, or else removes single jobs. */
  Result runOnce() {
    Cut cut =
        leadership.unconfirmed(
            tx -> RetentionStore.cut(tx, config.succeeded(), config.cancelled(), config.dead()));
    Set<UUID> named =
        leadership.unconfirmed(tx -> RetentionStore.named(tx, cut, config.namedMax()));
    if (named == null) {
      log.warn(
          "nothing is removed: more than {} ended jobs are still in batches that nobody claims."
              + " Start workers for their kinds",
          config.namedMax());
      return new Result(0, 0, 0, 0, 0, false);
    }
    int dead = cut.dead() == null ? 0 : removeDead(cut);
    List<LocalDate> days =
        leadership.unconfirmed(tx -> RetentionStore.days(tx, cut, config.keptBehind()));
    forgetOldPasses(days.stream().map(Part::of).toList());
    int failures = 0;
    for (LocalDate day : days) {
      if (passes.containsKey(Part.of(day))) {
        continue; // trimmed, now or a while ago
      }
      switch (drop(day, cut, named)) {
        case Drop.Done done -> {
          return new Result(1, done.moved(), 0, dead, done.failures(), true);
        }
        case Drop.Locked locked -> failures = locked.failures();
        case Drop.TooMany ignored -> passes.put(Part.of(day), new Pass(Part.of(day).after(), 0));
        case Drop.NotLeader ignored -> throw new Leadership.LostException();
      }
      if (failures > 0) {
        break; // the next day would meet the same holder
      }
    }
    passes.computeIfAbsent(Part.DEFAULT, part -> new Pass(part.after(), 0));
    int trimmed = 0;
    boolean more = dead == config.trimPage();
    for (Map.Entry<Part, Pass> pass : List.copyOf(passes.entrySet())) {
      Trim trim = trim(pass.getKey(), pass.getValue(), cut, named);
      passes.put(pass.getKey(), trim.left());
      trimmed += trim.removed();
      more |= trim.left().after() != null;
    }
    metrics.add(EngineMetric.RETENTION_TRIMMED, trimmed);
    return new Result(0, 0, trimmed, dead, failures, more);
  }

  private void forgetOldPasses(List<Part> due) {
    long now = System.nanoTime();
    passes.keySet().removeIf(part -> !part.equals(Part.DEFAULT) && !due.contains(part));
    passes
        .values()
        .removeIf(pass ->
            pass.after() == null && now - pass.overAtNanos() >= config.passEvery().toNanos());
  }

  private Drop drop(LocalDate day, Cut cut, Set<UUID> named) {
    long began = System.nanoTime();
    removeResults(Part.of(day), cut);
    Drop drop =
        leadership.unconfirmed(
            tx -> RetentionStore.drop(tx, leadership.epoch(), day, cut, named, config.manner()));
    Duration took = Duration.ofNanos(System.nanoTime() - began);
    switch (drop) {
      case Drop.Done done -> {
        metrics.add(EngineMetric.RETENTION_DAYS, 1);
        metrics.add(EngineMetric.RETENTION_DROPPED, done.removed());
        metrics.add(EngineMetric.RETENTION_MOVED, done.moved());
        metrics.add(EngineMetric.RETENTION_LOCKED, done.failures());
        log.info(
            "dropped {}: {} jobs, {} survivors moved, in {}, {} under locks",
            day,
            done.removed(),
            done.moved(),
            took,
            done.locked());
      }
      case Drop.TooMany ignored ->
          log.info(
              "{} has more than {} survivors, or more than {} bytes of them, and is trimmed",
              day,
              config.manner().survivors(),
              config.manner().bytes());
      case Drop.Locked locked -> {
        metrics.add(EngineMetric.RETENTION_LOCKED, locked.failures());
        log.info("{} cannot be dropped now: a transaction holds its tables", day);
      }
      case Drop.NotLeader ignored -> {}
    }
    return drop;
  }

  /** Results that are kept apart go first; a job of this age may lose its own before itself. */
  private void removeResults(Part part, Cut cut) {
    UUID after = part.after();
    while (after != null) {
      UUID from = after;
      if (!leadership.unconfirmed(tx -> TrimStore.anyResults(tx, part, from))) {
        return;
      }
      after =
          leadership
              .call(tx -> TrimStore.removeResults(tx, part, from, cut, config.trimPage()))
              .to();
    }
  }

  private record Trim(int removed, Pass left) {}

  /** Goes on with the way through a part. */
  private Trim trim(Part part, Pass pass, Cut cut, Set<UUID> named) {
    int removed = 0;
    UUID after = pass.after();
    if (after == null) {
      return new Trim(0, pass);
    }
    for (int i = 0; i < config.pages() && after != null; i++) {
      UUID from = after;
      if (leadership.unconfirmed(tx -> TrimStore.any(tx, part, from))) {
        TrimStore.Page page =
            leadership.call(tx -> TrimStore.trim(tx, part, from, cut, named, config.trimPage()));
        removed += page.removed();
        after = page.to();
      } else {
        after = null;
      }
    }
    return new Trim(removed, new Pass(after, System.nanoTime()));
  }

  /** Removes dead letters that are older than their time, and says so: they never just vanish. */
  private int removeDead(Cut cut) {
    TrimStore.Removed removed =
        leadership.call(tx -> TrimStore.removeDead(tx, cut, config.trimPage()));
    if (removed.jobs() > 0) {
      metrics.add(EngineMetric.RETENTION_DEAD, removed.jobs());
      log.warn(
          "removed {} dead letters from before {} (millpond.retention.dead): {}",
          removed.jobs(),
          cut.dead(),
          removed.sorts());
    }
    return removed.jobs();
  }
}
