package dev.millpond.chaos.campaign;

import java.util.ArrayList;
import java.util.List;

/**
 * What the checks found.
 *
 * @param acknowledged jobs that clients were told are taken
 * @param refused jobs that they were told are not
 * @param unknown jobs of which they were told nothing certain
 * @param unknownThere of these, those that are there
 * @param jobs in PostgreSQL
 * @param ended of them, as succeeded
 * @param runs starts of handlers
 * @param extraRuns starts beyond one a job, without failures on purpose
 * @param rejected runs that succeeded in their handler and whose end was not taken
 * @param burned attempts used up by faults
 * @param buried dead letters of jobs whose process was lost twice while they ran, as ADR 25 has it
 * @param earliestMillis how long before its time a delayed job ran, at most; 0 when none did
 * @param limitedMost jobs of the limited queue that ran at once, at most
 * @param findings what must not be; empty when all is in order
 */
public record Verdict(
    long acknowledged,
    long refused,
    long unknown,
    long unknownThere,
    long jobs,
    long ended,
    long runs,
    long extraRuns,
    long rejected,
    long burned,
    long buried,
    long earliestMillis,
    int limitedMost,
    List<Finding> findings) {

  public Verdict {
    findings = List.copyOf(findings);
  }

  public boolean clean() {
    return findings.isEmpty();
  }

  /** With what was found elsewhere. */
  Verdict and(List<Finding> more) {
    List<Finding> all = new ArrayList<>(findings);
    all.addAll(more);
    return new Verdict(
        acknowledged,
        refused,
        unknown,
        unknownThere,
        jobs,
        ended,
        runs,
        extraRuns,
        rejected,
        burned,
        buried,
        earliestMillis,
        limitedMost,
        all);
  }
}
