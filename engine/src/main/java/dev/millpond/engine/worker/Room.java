package dev.millpond.engine.worker;

import dev.millpond.engine.dispatch.Batch;
import dev.millpond.engine.dispatch.Demand;
import dev.millpond.engine.dispatch.Dispatch;
import dev.millpond.engine.dispatch.Lane;
import dev.millpond.engine.dispatch.Lanes;
import dev.millpond.engine.flush.Writer;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a worker has room for: how many batches, and of which lanes.
 *
 * <p>It takes little ahead: as many batches as slots are free and, when batches are short, about
 * {@link #AHEAD_MICROS} of work more. So what it holds starts long before the settle time gives it
 * back. Of each lane as many as the weights say, as far as it may have more; of all of them any,
 * while none may. As long as several may, it is that much work for every slot: a lane that runs
 * empty before the next claim comes in leaves its turns to the others. Thread-safe.
 */
final class Room {
  static final double AHEAD_MICROS = 20_000;

  /**
   * Batches of one claim when they are full ones; {@link #CLAIM_JOBS} of them when they are not.
   */
  private static final int CLAIM_BATCHES = 16;

  private static final int CLAIM_BATCHES_MAX = 256;

  private static final int CLAIM_JOBS = CLAIM_BATCHES * Batch.JOBS_MAX;

  private final HandlerRegistry handlers;
  private final Lanes lanes;
  private final WeightedLanes ready;
  private final Quarantine quarantine;
  private final Runner runner;
  private final Writer writer;
  private volatile boolean closed;

  /** An operator has asked for it. */
  private volatile boolean resting;

  private volatile double batchMicros = AHEAD_MICROS;
  private volatile double batchJobs = Batch.JOBS_MAX;

  /**
   * @param ready what waits for a slot
   * @param quarantine what waits to run alone
   */
  Room(
      HandlerRegistry handlers,
      Lanes lanes,
      WeightedLanes ready,
      Quarantine quarantine,
      Runner runner,
      Writer writer) {
    this.handlers = handlers;
    this.lanes = lanes;
    this.ready = ready;
    this.quarantine = quarantine;
    this.runner = runner;
    this.writer = writer;
  }

  /** There is room for nothing any more: the worker drains, or ends. */
  void close() {
    closed = true;
  }

  boolean closed() {
    return closed;
  }

  /** Whether there is to be no room until an operator says otherwise. */
  void rest(boolean rests) {
    resting = rests;
  }

  /** Whether what is claimed already is given back. */
  boolean givesBack() {
    return closed || resting;
  }

  /** Whether anything is taken in at all. */
  boolean open() {
    return !givesBack() && !runner.wornOut() && !writer.lost() && !writer.behind();
  }

  /** Batches that wait for a slot, or to run alone. */
  int waiting() {
    return ready.ready() + quarantine.size();
  }

  /**
   * Jobs of limited queues and kinds that may wait for a slot here, whatever else does: under full
   * load the lanes are never empty, and there the weights decide.
   */
  int jobs() {
    if (!open() || writer.away()) {
      return 0;
    }
    int ahead = (int) Math.clamp(AHEAD_MICROS / Math.max(1, batchMicros), 1, CLAIM_BATCHES_MAX);
    return Math.min(runner.free() + ahead, CLAIM_BATCHES_MAX);
  }

  /** What to claim next from a way; null when there is no room. */
  @Nullable Demand demand(Dispatch way) {
    if (!open() || writer.away()) {
      return null;
    }
    int most = (int) Math.clamp(CLAIM_JOBS / batchJobs, CLAIM_BATCHES, CLAIM_BATCHES_MAX);
    int ahead = (int) Math.clamp(AHEAD_MICROS / Math.max(1, batchMicros), 1, most);
    int held = runner.free() + ahead - quarantine.size();
    if (held <= 0) {
      return null;
    }
    int contended = (int) Math.min(most, runner.slots() * AHEAD_MICROS / Math.max(1, batchMicros));
    List<Lane> all = lanes.all();
    Map<Lane, Integer> missing = ready.missing(all, way, held, Math.max(held, contended), most);
    if (!missing.isEmpty()) {
      return new Demand(missing, handlers.kinds(), true);
    }
    int wanted = Math.min(held - ready.ready(), most);
    return wanted <= 0 || all.isEmpty() ? null : Demand.ofEach(all, handlers.kinds(), wanted);
  }

  /**
   * Learns the size of batches, from which it follows how many are work enough.
   *
   * @param micros of expected work in one of those that came last
   * @param jobs in one of them
   */
  void sized(double micros, double jobs) {
    batchMicros = micros;
    batchJobs = jobs;
  }
}
