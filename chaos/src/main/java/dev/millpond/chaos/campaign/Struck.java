package dev.millpond.chaos.campaign;

import dev.millpond.chaos.fault.Fault;
import dev.millpond.chaos.fault.Hit;
import java.util.Set;

/**
 * A fault that has happened.
 *
 * @param number in the sequence
 * @param kind its key
 * @param text what it was
 * @param hit what it struck
 * @param pids processes of the members that it was aimed at, at the blow; none for a server
 * @param near jobs in flight anywhere in the fleet, by {@link
 *     dev.millpond.chaos.fault.Hands#inFlight}
 * @param since from where recovery is measured
 * @param struckMillis when, by the clock of the records
 * @param undoneMillis when it was taken back, and worked again
 */
public record Struck(
    int number,
    String kind,
    String text,
    Hit hit,
    Set<Long> pids,
    long near,
    Fault.Since since,
    long struckMillis,
    long undoneMillis) {

  public Struck {
    pids = Set.copyOf(pids);
  }

  /** A fault that nobody felt is none. */
  public boolean counts() {
    return hit.count() > 0;
  }

  /** From where recovery is measured. */
  long recoveryFrom() {
    return since == Fault.Since.STRUCK ? struckMillis : undoneMillis;
  }
}
