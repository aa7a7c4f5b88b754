package dev.millpond.engine.worker;

import dev.millpond.engine.dispatch.Batch;
import dev.millpond.engine.dispatch.Dispatch;
import dev.millpond.engine.dispatch.KindPace;
import dev.millpond.engine.dispatch.Lane;
import dev.millpond.engine.flow.FlowSettings;
import dev.millpond.engine.lifecycle.store.IdTime;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
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
 * <p>What is served is divided by the weight. When a weight changes, the lead that a queue or class
 * has over the others is scaled, as if it had been served at the new one: what was started at a
 * small weight holds nobody up who weighs more now.
 *
 * <p>A queue or class that had nothing starts level with the least served of those that have work,
 * and with the one that was chosen last where none has: it has no claim to what it did not want.
 * But for {@link #LENIENCE_MICROS} it has. (Not with the one that was chosen last in any case: it
 * may be far ahead, chosen while those that weigh more waited for a claim.) One that is known to
 * have more than was claimed of it ({@link Supply}) has waited for a claim, and is given all that
 * it has missed. (A smooth weighted round robin for pieces of unequal size; start-time fair
 * queueing, P. Goyal 1996.)
 *
 * <p>Claims follow from the same numbers ({@link #missing}): each lane is to have at hand what
 * would be served of it next. Otherwise those of the highest weights would run empty first.
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

  /** One that has more, and has had nothing ready for no longer, still counts among the others. */
  private static final long ABSENT_MILLIS = 1_000;

  /** Of the newest batch in the average of their sizes. */
  private static final double NEW = 0.2;

  private final Supplier<FlowSettings> settings;
  private final KindPace pace;
  private final InstantSource clock;
  private final Supply supply;
  private final BooleanSupplier held;
  private final Map<String, Queue> queues = new HashMap<>();
  private boolean paused;
  private int ready;

  /** By which was reckoned what has been served. */
  private FlowSettings weights;

  /** Of the batch that came last: what is taken for one of a lane that nothing has come of. */
  private double lastJobs = 1;

  private double lastMicros = KindPace.UNKNOWN_MICROS;

  /** As far as the queues have been served: of the one chosen last, and it never falls. */
  private double level;

  private static final class Queue {
    final String name;
    final Map<Lane, Ready> lanes = new HashMap<>();
    double served;
    int batches;
    boolean servedAged;

    /** When something of it was last ready. */
    long readyMillis;

    /** As {@link WeightedLanes#level}, of the classes. */
    double level;

    Queue(String name, double served) {
      this.name = name;
      this.served = served;
    }
  }

  private static final class Ready {
    final Lane lane;
    final Deque<BatchRun> runs = new ArrayDeque<>();
    double served;

    /** Of its batches: a moving average. */
    double jobs;

    /** Of the batch that came last. */
    String kind = "";

    long madeMillis;

    /** When something of it was last ready. */
    long readyMillis;

    Ready(Lane lane, double served) {
      this.lane = lane;
      this.served = served;
    }

    void came(Batch batch, int size) {
      jobs = jobs == 0 ? size : jobs + NEW * (size - jobs);
      kind = batch.kind();
      madeMillis = IdTime.millis(batch.id());
    }
  }

  /** Attempts for one slot. */
  record Chunk(BatchRun run, List<Attempt> attempts) {}

  /**
   * @param settings with the weights as they are now
   * @param clock the database's, as far as known: ids of batches are by it
   */
  WeightedLanes(Supplier<FlowSettings> settings, KindPace pace, InstantSource clock) {
    this(settings, pace, clock, new Supply(), () -> false);
  }

  /**
   * @param settings with the weights as they are now
   * @param clock the database's, as far as known: ids of batches are by it
   * @param supply what there is besides what is ready
   * @param held whether nothing is to be given out now
   */
  WeightedLanes(
      Supplier<FlowSettings> settings,
      KindPace pace,
      InstantSource clock,
      Supply supply,
      BooleanSupplier held) {
    this.settings = settings;
    this.pace = pace;
    this.clock = clock;
    this.supply = supply;
    this.held = held;
    this.weights = settings.get();
  }

  synchronized void add(BatchRun run) {
    follow();
    Queue queue = queue(run.lane().queue());
    Ready lane = lane(queue, run.lane());
    if (queue.batches == 0) {
      queue.served = servedAsItJoins(queue, served());
    }
    if (lane.runs.isEmpty()) {
      lane.served = servedAsItJoins(lane, served(queue), micros(run.kind()));
    }
    lane.runs.add(run);
    lane.came(run.claimed().batch(), run.attempts().size());
    lastJobs = run.attempts().size();
    lastMicros = lastJobs * micros(run.kind());
    queue.batches++;
    ready++;
  }

  /**
   * Counts a claimed batch as served that is not run from here. Its lane would have all claims to
   * itself otherwise, as long as such ones come.
   */
  synchronized void passedOver(Batch batch) {
    follow();
    Queue queue = queue(batch.lane().queue());
    count(queue, lane(queue, batch.lane()), batch.kind(), batch.size());
  }

  private void count(Queue queue, Ready lane, String kind, int jobs) {
    queue.served += jobs * micros(kind) / weights.queueWeight(queue.name);
    lane.served += (double) jobs / weights.classWeight(lane.lane);
  }

  private Queue queue(String name) {
    Queue known = queues.get(name);
    if (known == null) {
      known = new Queue(name, served());
      queues.put(name, known);
    }
    return known;
  }

  private Ready lane(Queue queue, Lane lane) {
    Ready known = queue.lanes.get(lane);
    if (known == null) {
      known = new Ready(lane, served(queue));
      queue.lanes.put(lane, known);
    }
    return known;
  }

  /**
   * From where a queue goes on that has nothing ready.
   *
   * @param others {@link #served} of all queues
   */
  private double servedAsItJoins(Queue queue, double others) {
    if (hasMore(queue)) {
      return queue.served;
    }
    double behind = LENIENCE_MICROS / weights.queueWeight(queue.name);
    return Math.max(queue.served, others - behind);
  }

  /** As far as the least served of those queues that have work. */
  private double served() {
    long since = clock.millis() - ABSENT_MILLIS;
    double least = level;
    for (Queue queue : queues.values()) {
      if (queue.batches > 0 || (queue.readyMillis >= since && hasMore(queue))) {
        least = Math.min(least, queue.served);
      }
    }
    return least;
  }

  /** As far as the least served of those classes of a queue that have work. */
  private double served(Queue queue) {
    long since = clock.millis() - ABSENT_MILLIS;
    double least = queue.level;
    for (Ready lane : queue.lanes.values()) {
      if (!lane.runs.isEmpty() || (lane.readyMillis >= since && supply.more(lane.lane))) {
        least = Math.min(least, lane.served);
      }
    }
    return least;
  }

  private boolean hasMore(Queue queue) {
    for (Lane lane : queue.lanes.keySet()) {
      if (supply.more(lane)) {
        return true;
      }
    }
    return false;
  }

  /**
   * From where a lane goes on that has nothing ready.
   *
   * @param others {@link #served(Queue)} of its queue
   */
  private double servedAsItJoins(Ready lane, double others, double jobMicros) {
    if (supply.more(lane.lane)) {
      return lane.served;
    }
    double behind = LENIENCE_MICROS / jobMicros / weights.classWeight(lane.lane);
    return Math.max(lane.served, others - behind);
  }

  /** Expected time of a job in a slot. */
  private double micros(String kind) {
    return Math.max(SHORTEST_MICROS, pace.expectedMicros(kind));
  }

  /** Takes over changed weights. */
  private void follow() {
    FlowSettings now = settings.get();
    if (now.version() == weights.version()) {
      return;
    }
    for (Queue queue : queues.values()) {
      queue.served =
          scaled(queue.served, level, weights.queueWeight(queue.name), now.queueWeight(queue.name));
      for (Ready lane : queue.lanes.values()) {
        lane.served =
            scaled(
                lane.served,
                queue.level,
                weights.classWeight(lane.lane),
                now.classWeight(lane.lane));
      }
    }
    weights = now;
  }

  /**
   * What has been served, at another weight: its lead over the level is by so much smaller as it
   * weighs more now. And so is what it is behind by; but that does not grow when it weighs less.
   */
  private static double scaled(double served, double level, double before, double now) {
    double lead = served - level;
    return level + lead * (lead > 0 ? before / now : Math.min(1, before / now));
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
    follow();
    for (Queue queue = nextQueue(); queue != null; queue = nextQueue()) {
      Ready lane = nextLane(queue);
      BatchRun run = lane.runs.getFirst();
      List<Attempt> attempts = run.take(chunkSize(run));
      if (run.exhausted()) {
        lane.runs.removeFirst();
        lane.readyMillis = clock.millis();
        queue.batches--;
        queue.readyMillis = lane.readyMillis;
        ready--;
      }
      if (!attempts.isEmpty()) {
        count(queue, lane, run.kind(), attempts.size());
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
  private Ready nextLane(Queue queue) {
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

  /** These lanes, with those first that have been served the least for their weights. */
  synchronized List<Lane> leastServedFirst(List<Lane> all) {
    follow();
    Map<Lane, double[]> served = new HashMap<>();
    for (Lane lane : all) {
      Queue queue = queues.get(lane.queue());
      Ready ready = queue == null ? null : queue.lanes.get(lane);
      served.put(
          lane,
          new double[] {
            queue == null ? level : queue.served, ready == null ? 0 : ready.served,
          });
    }
    List<Lane> sorted = new ArrayList<>(all);
    sorted.sort((a, b) -> Arrays.compare(served.get(a), served.get(b)));
    return sorted;
  }

  /** Batches that are ready, of all lanes. */
  synchronized int ready() {
    return ready;
  }

  /**
   * How many batches to claim, by lane: of those that have more, what is not at hand of what would
   * be served next; and as nobody knows whether the others still have nothing, of those what would
   * then be theirs, one batch at least.
   *
   * @param all lanes that may be claimed from
   * @param way that is claimed from
   * @param held batches that are to be at hand
   * @param contended batches that are to be at hand when several lanes have more
   * @param most that one claim may give of lanes that have more
   * @return empty when nothing is missing of the lanes that have more
   */
  Map<Lane, Integer> missing(List<Lane> all, Dispatch way, int held, int contended, int most) {
    if (all.stream().noneMatch(lane -> supply.more(way, lane))) {
      return Map.of();
    }
    Forecast forecast = forecast(all, way);
    int batches = forecast.several() ? contended : held;
    Map<Lane, Integer> missing = forecast.missing(batches, most);
    if (!missing.isEmpty()) {
      missing.putAll(forecast.missingOfOthers(Math.min(batches, most)));
    }
    return missing;
  }

  private synchronized Forecast forecast(List<Lane> all, Dispatch way) {
    follow();
    Map<String, List<Lane>> lanes = new HashMap<>();
    all.forEach(lane -> lanes.computeIfAbsent(lane.queue(), q -> new ArrayList<>()).add(lane));
    Forecast forecast = new Forecast();
    double others = served();
    lanes.forEach((name, its) -> {
      Queue queue = queue(name);
      Duration aging = weights.aging(name);
      double served = queue.batches == 0 ? servedAsItJoins(queue, others) : queue.served;
      Forecast.OfQueue ofQueue = new Forecast.OfQueue(served, aging != null, queue.servedAged);
      double ofOthers = served(queue);
      for (Lane lane : its) {
        ofQueue.add(forecast(queue, lane(queue, lane), ofOthers, supply.more(way, lane), aging));
      }
      forecast.add(ofQueue);
    });
    return forecast;
  }

  private Forecast.OfLane forecast(
      Queue queue, Ready lane, double others, boolean more, @Nullable Duration aging) {
    boolean known = lane.jobs > 0;
    double jobs = known ? lane.jobs : lastJobs;
    double micros = known ? jobs * micros(lane.kind) : lastMicros;
    double served =
        lane.runs.isEmpty() ? servedAsItJoins(lane, others, micros / jobs) : lane.served;
    Forecast.OfLane of =
        new Forecast.OfLane(
            lane.lane,
            lane.runs.size(),
            more,
            served,
            jobs / weights.classWeight(lane.lane),
            micros / weights.queueWeight(queue.name));
    if (aging != null && known && lane.madeMillis < clock.millis() - aging.toMillis()) {
      of.ages(lane.madeMillis);
    }
    return of;
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
