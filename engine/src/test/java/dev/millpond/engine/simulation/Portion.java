package dev.millpond.engine.simulation;

import dev.millpond.engine.simulation.Rows.Batch;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What a worker has to write of a batch, or of a tracked job: see the engine's class of this name.
 *
 * @param batch null for a tracked job
 * @param last whether the batch's row goes
 * @param started jobs that run on and are tracked from here
 * @param unstarted jobs that are given back
 * @param elsewhere whether those need a worker that runs their kind
 * @param gated false only for a planted bug
 */
record Portion(
    @Nullable Batch batch,
    boolean last,
    List<End> ends,
    List<Held> started,
    List<Held> unstarted,
    boolean elsewhere,
    boolean gated,
    Consumer<Written> then) {

  /** How an attempt ended. */
  enum How {
    SUCCESS,
    RETRY,
    DEAD,
    CANCELLED,
    RETURNED
  }

  record End(int job, int token, int attempt, boolean hasState, How how) {}

  record Held(int job, int token, int attempt) {}

  /** What became of it: whether its gate was gone, and the jobs that were somebody else's. */
  record Written(boolean gone, Set<Integer> stale) {}

  /** Whether it goes through the hot lane. */
  boolean plain() {
    if (batch == null || !started.isEmpty() || !unstarted.isEmpty()) {
      return false;
    }
    for (End end : ends) {
      if (end.how() != How.SUCCESS || end.hasState() || end.token() != 1) {
        return false;
      }
    }
    return !ends.isEmpty();
  }
}
