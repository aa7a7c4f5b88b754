package dev.millpond.engine.worker;

import dev.millpond.engine.dispatch.Lane;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What {@link WeightedLanes} would serve next, batch by batch, if the lanes that have more
 * elsewhere had it at hand: from it follows how many batches to claim of each. Made of the numbers
 * of one moment, so that nothing is held up while it is played; used by one thread.
 */
final class Forecast {
  private final List<OfQueue> queues = new ArrayList<>();

  /** A queue; what was served of it counts as in {@link WeightedLanes}. */
  static final class OfQueue {
    private final double servedSoFar;
    private final boolean ages;
    private final boolean agedSoFar;
    private final List<OfLane> lanes = new ArrayList<>();
    private double served;
    private boolean servedAged;

    /**
     * @param ages whether what is old goes before the weights, in every second choice
     * @param servedAged whether the last choice was such a one
     */
    OfQueue(double served, boolean ages, boolean servedAged) {
      this.servedSoFar = served;
      this.ages = ages;
      this.agedSoFar = servedAged;
    }

    void add(OfLane lane) {
      lanes.add(lane);
    }

    private void begin() {
      served = servedSoFar;
      servedAged = agedSoFar;
      lanes.forEach(OfLane::begin);
    }

    private boolean has(boolean all) {
      for (OfLane lane : lanes) {
        if (all || lane.has()) {
          return true;
        }
      }
      return false;
    }

    private @Nullable OfLane serve(boolean all) {
      OfLane chosen = ages && !servedAged ? aged(all) : null;
      servedAged = chosen != null;
      if (chosen == null) {
        for (OfLane lane : lanes) {
          if ((all || lane.has()) && (chosen == null || lane.served < chosen.served)) {
            chosen = lane;
          }
        }
      }
      if (chosen != null) {
        served += chosen.queueStep;
        chosen.served += chosen.step;
        chosen.batches++;
      }
      return chosen;
    }

    private @Nullable OfLane aged(boolean all) {
      OfLane oldest = null;
      for (OfLane lane : lanes) {
        if (lane.aged != null
            && (all || lane.has())
            && (oldest == null || oldest.aged == null || lane.aged < oldest.aged)) {
          oldest = lane;
        }
      }
      return oldest;
    }
  }

  /** A lane of a queue. */
  static final class OfLane {
    private final Lane lane;
    private final int ready;
    private final boolean more;
    private final double servedSoFar;
    private final double step;
    private final double queueStep;
    private @Nullable Long aged;
    private double served;
    private int batches;

    /**
     * @param ready batches at hand
     * @param more whether it has any number of others elsewhere
     * @param step by which it counts as served further with each batch
     * @param queueStep by which its queue does
     */
    OfLane(Lane lane, int ready, boolean more, double served, double step, double queueStep) {
      this.lane = lane;
      this.ready = ready;
      this.more = more;
      this.servedSoFar = served;
      this.step = step;
      this.queueStep = queueStep;
    }

    /** Its batches are older than the bound; from when the youngest is that was seen. */
    void ages(long madeMillis) {
      aged = madeMillis;
    }

    private void begin() {
      served = servedSoFar;
      batches = 0;
    }

    private boolean has() {
      return more || batches < ready;
    }
  }

  void add(OfQueue queue) {
    queues.add(queue);
  }

  /** Whether more than one lane has more. */
  boolean several() {
    int more = 0;
    for (OfQueue queue : queues) {
      for (OfLane lane : queue.lanes) {
        more += lane.more ? 1 : 0;
      }
    }
    return more > 1;
  }

  /**
   * What of the next batches is not at hand, of lanes that have more.
   *
   * @param batches how many are looked at
   * @param most how many may be missing
   */
  Map<Lane, Integer> missing(int batches, int most) {
    play(batches, most, false);
    Map<Lane, Integer> missing = new HashMap<>();
    for (OfQueue queue : queues) {
      for (OfLane lane : queue.lanes) {
        int lacks = Math.max(lane.batches, queue.ages ? 1 : 0) - lane.ready;
        if (lane.more && lacks > 0) { // with an aging bound, to see how old its next batch is
          missing.put(lane.lane, lacks);
        }
      }
    }
    return missing;
  }

  /**
   * What would be missing of the other lanes if all lanes had more; one batch at least.
   *
   * @param batches how many are looked at
   */
  Map<Lane, Integer> missingOfOthers(int batches) {
    play(batches, batches, true);
    Map<Lane, Integer> missing = new HashMap<>();
    for (OfQueue queue : queues) {
      for (OfLane lane : queue.lanes) {
        if (!lane.more) {
          missing.put(lane.lane, Math.max(1, lane.batches - lane.ready));
        }
      }
    }
    return missing;
  }

  private void play(int batches, int most, boolean all) {
    queues.forEach(OfQueue::begin);
    int missing = 0;
    for (int i = 0; i < batches && missing < most; i++) {
      OfQueue next = null;
      for (OfQueue queue : queues) {
        if ((next == null || queue.served < next.served) && queue.has(all)) {
          next = queue;
        }
      }
      OfLane served = next == null ? null : next.serve(all);
      if (served == null) {
        return;
      }
      missing += served.batches > served.ready ? 1 : 0;
    }
  }
}
