package dev.millpond.engine.query;

import java.time.Duration;
import java.time.Instant;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What the fleet has been doing, as the newest rows tell. Its cost does not grow with the number of
 * jobs: beyond a bounded sample it is an estimate. All times are by the database's clock.
 *
 * @param at when it was read
 * @param submittedPerSecond jobs submitted in a second, over the last five or fewer
 * @param attempts how attempts ended in the last minute
 * @param waited from the submit of a job to the start of its last attempt, a delay it asked for
 *     included; null when none has ended
 * @param ran from the start of the last attempt to its end; null when none has ended
 * @param died jobs that became dead letters
 * @param leader who does the maintenance; null when nobody ever did
 */
public record Activity(
    Instant at,
    double submittedPerSecond,
    Attempts attempts,
    @Nullable Spread waited,
    @Nullable Spread ran,
    Died died,
    @Nullable Leader leader) {

  /**
   * Ended attempts.
   *
   * @param rescued taken back from a worker that was lost
   * @param sampled whether these are only those of the newest jobs, since there are too many
   */
  public record Attempts(
      int succeeded, int failed, int timedOut, int rescued, int cancelled, boolean sampled) {
    /** Of the attempts that came to an end of their own, those that succeeded; 1 for none. */
    public double successRatio() {
      int ended = succeeded + failed + timedOut;
      return ended == 0 ? 1 : (double) succeeded / ended;
    }
  }

  /** Median and tail of some times. */
  public record Spread(Duration p50, Duration p95, Duration p99) {}

  /**
   * New dead letters.
   *
   * @param lastHour stays at a bound when there are more
   */
  public record Died(int lastMinute, int lastHour) {}

  /**
   * The process that holds the leader's lease.
   *
   * @param epoch grows with each change of hands
   * @param lease what is left of it; negative when it is over and nobody has taken it
   * @param host null when it runs no jobs: only workers say where they are
   */
  public record Leader(
      UUID node, long epoch, Duration lease, @Nullable String host, @Nullable Long pid) {}
}
