package dev.millpond.chaos.campaign;

import dev.millpond.chaos.fault.FaultKind;
import dev.millpond.chaos.fleet.FleetPlan;
import dev.millpond.chaos.work.Work;
import java.time.Duration;
import java.util.List;

/**
 * A whole campaign, in one part or several. What is kept with the campaign's directory, so that a
 * later part is of the same campaign.
 *
 * @param seed of faults and jobs
 * @param kinds of faults, at least one
 * @param faults in all
 * @param jobs in all, at most
 * @param size of the fleet
 * @param timing default or fast
 * @param slots of each worker
 * @param rate most jobs a second
 * @param backlog jobs that wait when the first fault of a part comes, and are kept waiting; 0 for a
 *     few seconds' worth
 * @param atOnce most faults at the same time
 * @param gap most of the pause between two faults
 */
public record CampaignPlan(
    long seed,
    List<FaultKind> kinds,
    int faults,
    long jobs,
    FleetPlan.Size size,
    String timing,
    int slots,
    int rate,
    int backlog,
    int atOnce,
    Duration gap) {

  public CampaignPlan {
    kinds = List.copyOf(kinds);
  }

  /** Whether a queue has a limit: with a backlog it would not be through in time. */
  public boolean limits() {
    return backlog == 0;
  }

  /** Jobs of the limited queue at a time: few, and more than it needs on average. */
  public int limitedAtOnce() {
    return Math.max(3, rate / 60);
  }

  /** Starts of the limited queue in a second: more than there are jobs of it, on average. */
  int limitedPerSecond() {
    return Math.max(10, 2 * rate / Work.LIMITED_EACH);
  }
}
