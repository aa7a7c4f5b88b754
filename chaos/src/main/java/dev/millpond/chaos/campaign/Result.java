package dev.millpond.chaos.campaign;

import dev.millpond.chaos.campaign.CampaignFolder.Healed;
import java.time.Duration;
import java.util.List;

/**
 * What a campaign has come to, all of its parts together.
 *
 * @param nextFault with which another part goes on
 * @param parts so far
 * @param faults of all parts
 * @param pauses in this part
 * @param took of this part, from the first process to the verdict
 */
public record Result(
    CampaignPlan plan,
    int nextFault,
    int parts,
    Verdict verdict,
    List<Healed> faults,
    int pauses,
    Duration took) {

  public Result {
    faults = List.copyOf(faults);
  }

  /** Faults that hit jobs in flight. */
  public long counted() {
    return faults.stream().filter(healed -> healed.struck().counts()).count();
  }

  /** Attempts that were used up, and by none of the faults as far as can be told. */
  public long usedUpOtherwise() {
    return verdict.burned() - faults.stream().mapToLong(Healed::usedUp).sum();
  }

  /** Whether there are faults left to go on with. */
  public boolean complete() {
    return nextFault >= plan.faults() || verdict.acknowledged() >= plan.jobs();
  }

  /**
   * Upper bound of the share of faults after which something is lost, at 95 %: nothing was seen in
   * so many, so it is at most 3 in so many (rule of three).
   */
  public double bound() {
    return counted() == 0 ? 1 : Math.min(1, 3.0 / counted());
  }
}
