package dev.millpond.engine.worker;

import dev.millpond.engine.dispatch.KindPace;
import dev.millpond.engine.dispatch.Lane;
import dev.millpond.engine.flow.FlowSettings;
import dev.millpond.engine.lifecycle.store.IdTime;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Batches that are ready to run here, and which one is next: weighted fair on served work, in two
 * steps. The queue is chosen that has been served the least for its weight, by the time that its
 * jobs are expected to hold a slot: a queue of slow jobs cannot crowd out one of quick jobs. Within
 * it, the class is chosen that has been served the least for its weight, by jobs.
 *
 * <p>What is served is divided by the weight as it is then, so a change counts from the next choice
 * on, and nothing has to be reset. A queue or class that was empty starts level with the one that
 * was chosen last, which is as far as the others are: it has no claim to what it did not want. But
 * for {@link #LENIENCE_MICROS} it has, as it may only be empty until the next claim comes in. (A
 * smooth weighted round robin for pieces of unequal size; start-time fair queueing, P. Goyal 1996.)
 *
 * <p>With an aging bound, a batch that has been runnable for longer goes ahead of the weights of
 * its queue's classes, oldest first, in every second choice at most. Thread-safe.
 */
final class WeightedLanes {
  /** Expected work of one take: a slot is asked about the next lane this often. */
  private static final double CHUNK_MICROS = 1_000;

  private static final int CHUNK_MAX = 64;

  /** What a job costs besides its handler: shorter ones count as this long. */
  private static final double SHORTEST_MICROS = 100;

  /** What an empty lane may be behind by, in time of a slot, and still catch up on. */
  private static final double LENIENCE_MICROS = 100_000;

  private final Supplier<FlowSettings> settings;
  private final KindPace pace;
  private final InstantSource clock;
  private final BooleanSupplier held;
  private final Map<String, Queue> queues = new HashMap<>();
  private boolean paused;
  private int ready;

  /** As far as the queues have been served: of the one chosen last, and it never falls. */
  private double level;

  private static final class Queue {
    final String name;
    final Map<Lane, Ready> lanes = new HashMap<>();
    double served;
    int batches;
    boolean servedAged;

    /** As {@link WeightedLanes#level}, of the classes. */
    double level;

    Queue(String name) {
      this.name = name;
    }
  }

  private static final class Ready {
    final Lane lane;
    final Deque<BatchRun> runs = new ArrayDeque<>();
    double served;

    Ready(Lane lane) {
      this.lane = lane;
    }
  }

  /** Attempts for one slot. */
  record Chunk(BatchRun run, List<Attempt> attempts) {}

  /**
   * @param settings with the weights as they are now
   * @param clock the database's, as far as known: ids of batches are by it
   */
  WeightedLanes(Supplier<FlowSettings> settings, KindPace pace, InstantSource clock) {
    this(settings, pace, clock, () -> false);
  }

  /**
   * @param settings with the weights as they are now
   * @param clock the database's, as far as known: ids of batches are by it
   * @param held whether nothing is to be given out now
   */
  WeightedLanes(
      Supplier<FlowSettings> settings, KindPace pace, InstantSource clock, BooleanSupplier held) {
    this.settings = settings;
    this.pace = pace;
    this.clock = clock;
    this.held = held;
  }

  synchronized void add(BatchRun run) {
    FlowSettings weights = settings.get();
    Queue queue = queues.computeIfAbsent(run.lane().queue(), Queue::new);
    if (queue.batches == 0) {
      double behind = LENIENCE_MICROS / weights.queueWeight(queue.name);
      queue.served = Math.max(queue.served, level - behind);
    }
    Ready lane = queue.lanes.computeIfAbsent(run.lane(), Ready::new);
    if (lane.runs.isEmpty()) {
      double behind = LENIENCE_MICROS / micros(run) / weights.classWeight(lane.lane);
      lane.served = Math.max(lane.served, queue.level - behind);
    }
    lane.runs.add(run);
    queue.batches++;
    ready++;
  }

  /** Expected time of one of its jobs in a slot. */
  private double micros(BatchRun run) {
    return Math.max(SHORTEST_MICROS, pace.expectedMicros(run.kind()));
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
    return !paused && ready > 0 && !held.getAsBoolean();
  }

  /** The next attempts to run; null when nothing is ready, or for now nothing is given out. */
  synchronized @Nullable Chunk take() {
    if (paused || held.getAsBoolean()) {
      return null;
    }
    FlowSettings weights = settings.get();
    for (Queue queue = nextQueue(); queue != null; queue = nextQueue()) {
      Ready lane = nextLane(queue, weights);
      BatchRun run = lane.runs.getFirst();
      List<Attempt> attempts = run.take(chunkSize(run));
      if (run.exhausted()) {
        lane.runs.removeFirst();
        queue.batches--;
        ready--;
      }
      if (!attempts.isEmpty()) {
        queue.served += attempts.size() * micros(run) / weights.queueWeight(queue.name);
        lane.served += (double) attempts.size() / weights.classWeight(lane.lane);
        return new Chunk(run, attempts);
      }
    }
    return null;
  }

  private @Nullable Queue nextQueue() {
    Queue chosen = null;
    for (Queue queue : queues.values()) {
      if (queue.batches > 0 && (chosen == null || queue.served < chosen.served)) {
        chosen = queue;
      }
    }
    if (chosen != null) {
      level = Math.max(level, chosen.served);
    }
    return chosen;
  }

  /** Of a queue in which something is ready. */
  private Ready nextLane(Queue queue, FlowSettings weights) {
    Duration aging = weights.aging(queue.name);
    Ready chosen = aging == null || queue.servedAged ? null : aged(queue, aging);
    queue.servedAged = chosen != null;
    if (chosen != null) {
      return chosen;
    }
    for (Ready lane : queue.lanes.values()) {
      if (!lane.runs.isEmpty() && (chosen == null || lane.served < chosen.served)) {
        chosen = lane;
      }
    }
    if (chosen == null) {
      throw new IllegalStateException("queue " + queue.name + " has nothing ready");
    }
    queue.level = Math.max(queue.level, chosen.served);
    return chosen;
  }

  /** The lane with the oldest batch, if that has been runnable for longer than the bound. */
  private @Nullable Ready aged(Queue queue, Duration aging) {
    long oldest = clock.millis() - aging.toMillis();
    Ready chosen = null;
    for (Ready lane : queue.lanes.values()) {
      BatchRun first = lane.runs.peekFirst();
      if (first != null && IdTime.millis(first.claimed().batch().id()) < oldest) {
        oldest = IdTime.millis(first.claimed().batch().id());
        chosen = lane;
      }
    }
    return chosen;
  }

  private int chunkSize(BatchRun run) {
    double expected = Math.max(1, pace.expectedMicros(run.kind()));
    return (int) Math.clamp(CHUNK_MICROS / expected, 1, CHUNK_MAX);
  }

  /** Batches that are ready, of all lanes. */
  synchronized int ready() {
    return ready;
  }

  /** Those of the lanes that have fewer ready batches than this, the least served first. */
  synchronized List<Lane> below(List<Lane> all, int batches) {
    List<Lane> below = new ArrayList<>();
    for (Lane lane : all) {
      Ready of = find(lane);
      if (of == null || of.runs.size() < batches) {
        below.add(lane);
      }
    }
    below.sort(Comparator.comparingDouble(this::servedQueue).thenComparingDouble(this::served));
    return below;
  }

  private double servedQueue(Lane lane) {
    Queue queue = queues.get(lane.queue());
    return queue == null ? 0 : queue.served;
  }

  private double served(Lane lane) {
    Ready of = find(lane);
    return of == null ? 0 : of.served;
  }

  private @Nullable Ready find(Lane lane) {
    Queue queue = queues.get(lane.queue());
    return queue == null ? null : queue.lanes.get(lane);
  }

  /** Takes out those that give nothing any more, which would take room until it is their turn. */
  synchronized void forgetExhausted() {
    for (Queue queue : queues.values()) {
      for (Ready lane : queue.lanes.values()) {
        int before = lane.runs.size();
        lane.runs.removeIf(BatchRun::exhausted);
        queue.batches -= before - lane.runs.size();
        ready -= before - lane.runs.size();
      }
    }
  }

  /** Takes out everything. */
  synchronized List<BatchRun> clear() {
    List<BatchRun> all = new ArrayList<>();
    for (Queue queue : queues.values()) {
      for (Ready lane : queue.lanes.values()) {
        all.addAll(lane.runs);
        lane.runs.clear();
      }
      queue.batches = 0;
    }
    ready = 0;
    return all;
  }
}
