package dev.millpond.engine.worker;

import dev.millpond.engine.dispatch.KindPace;
import dev.millpond.engine.dispatch.Lane;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;

/**
 * The batches of a worker that are ready to run, served by weight: of the lanes that have work the
 * one goes first whose served jobs are fewest against its weight (stride scheduling, C. Waldspurger
 * 1995, with jobs as the cost: smooth weighted round robin for pieces of unequal size). A lane that
 * was empty starts level with the others: it has no claim to what it did not want. Thread-safe.
 */
final class WeightedLanes {
  /** Expected work of one take: a slot is asked about the next lane this often. */
  private static final double CHUNK_MICROS = 1_000;

  private static final int CHUNK_MAX = 64;

  private final ToIntFunction<Lane> weights;
  private final KindPace pace;
  private final Map<Lane, Ready> lanes = new HashMap<>();
  private final BooleanSupplier held;
  private boolean paused;

  private static final class Ready {
    final Deque<BatchRun> runs = new ArrayDeque<>();
    double served;
  }

  /** Attempts for one slot. */
  record Chunk(BatchRun run, List<Attempt> attempts) {}

  /**
   * @param weights of the lanes, above zero, as they are now
   */
  WeightedLanes(ToIntFunction<Lane> weights, KindPace pace) {
    this(weights, pace, () -> false);
  }

  /**
   * @param weights of the lanes, above zero, as they are now
   * @param held whether nothing is to be given out now
   */
  WeightedLanes(ToIntFunction<Lane> weights, KindPace pace, BooleanSupplier held) {
    this.weights = weights;
    this.pace = pace;
    this.held = held;
  }

  synchronized void add(BatchRun run) {
    Ready ready = lanes.computeIfAbsent(run.lane(), lane -> new Ready());
    if (ready.runs.isEmpty()) {
      ready.served = Math.max(ready.served, leastServed());
    }
    ready.runs.add(run);
  }

  private double leastServed() {
    double least = Double.MAX_VALUE;
    for (Ready ready : lanes.values()) {
      if (!ready.runs.isEmpty()) {
        least = Math.min(least, ready.served);
      }
    }
    return least == Double.MAX_VALUE ? 0 : least;
  }

  /** Gives out nothing from now on. */
  synchronized void pause() {
    paused = true;
  }

  synchronized void resume() {
    paused = false;
  }

  /** Whether {@link #take} would give anything. */
  synchronized boolean gives() {
    return !paused && ready() > 0 && !held.getAsBoolean();
  }

  /** The next attempts to run; null when nothing is ready, or for now nothing is given out. */
  synchronized @Nullable Chunk take() {
    if (paused || held.getAsBoolean()) {
      return null;
    }
    while (true) {
      Map.Entry<Lane, Ready> chosen = null;
      for (Map.Entry<Lane, Ready> entry : lanes.entrySet()) {
        if (!entry.getValue().runs.isEmpty()
            && (chosen == null || entry.getValue().served < chosen.getValue().served)) {
          chosen = entry;
        }
      }
      if (chosen == null) {
        return null;
      }
      Ready ready = chosen.getValue();
      BatchRun run = ready.runs.getFirst();
      List<Attempt> attempts = run.take(chunkSize(run));
      if (run.exhausted()) {
        ready.runs.removeFirst();
      }
      if (!attempts.isEmpty()) {
        ready.served += (double) attempts.size() / weights.applyAsInt(chosen.getKey());
        return new Chunk(run, attempts);
      }
    }
  }

  private int chunkSize(BatchRun run) {
    double expected = Math.max(1, pace.expectedMicros(run.kind()));
    return (int) Math.clamp(CHUNK_MICROS / expected, 1, CHUNK_MAX);
  }

  /** Batches that are ready, of all lanes. */
  synchronized int ready() {
    return lanes.values().stream().mapToInt(r -> r.runs.size()).sum();
  }

  /** Those of the lanes that have fewer ready batches than this, the least served first. */
  synchronized List<Lane> below(List<Lane> all, int batches) {
    List<Lane> below = new ArrayList<>();
    for (Lane lane : all) {
      Ready ready = lanes.get(lane);
      if (ready == null || ready.runs.size() < batches) {
        below.add(lane);
      }
    }
    below.sort(
        Comparator.comparingDouble(lane -> {
          Ready ready = lanes.get(lane);
          return ready == null ? 0 : ready.served;
        }));
    return below;
  }

  /** Takes out everything. */
  synchronized List<BatchRun> clear() {
    List<BatchRun> all = new ArrayList<>();
    lanes.values().forEach(ready -> all.addAll(ready.runs));
    lanes.values().forEach(ready -> ready.runs.clear());
    return all;
  }
}
