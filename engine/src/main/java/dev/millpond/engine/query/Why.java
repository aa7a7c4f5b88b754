package dev.millpond.engine.query;

import dev.millpond.api.JobState;
import java.util.List;
import java.util.UUID;

/**
 * Why a job is not running.
 *
 * @param holds what keeps it from starting, the most decisive first; of one that runs or has ended
 *     that alone
 * @param nextStep what happens next, in one sentence
 */
public record Why(UUID jobId, JobState state, List<Hold> holds, String nextStep) {
  public Why {
    holds = List.copyOf(holds);
  }
}
