package dev.millpond.api;

import java.util.Locale;

/** Where a job is in its life. A run shorter than a flush may show as {@link #RUNNABLE}. */
public enum JobState {
  /** Waits for its run time: delayed by its producer, or for the next attempt after an error. */
  SCHEDULED,
  /** May start as soon as a worker has room. */
  RUNNABLE,
  /** A worker runs it. */
  RUNNING,
  /** Held back by something named in {@code waitReason}. */
  WAITING,
  /** Ended well. */
  SUCCEEDED,
  /** Out of attempts, or failed for good; kept with its errors until someone redrives it. */
  DEAD,
  /** Ended by a cancellation. */
  CANCELLED;

  /** The name used in SQL, REST and on the command line. */
  public String wireName() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** The state with this wire name. */
  public static JobState of(String wireName) {
    return valueOf(wireName.toUpperCase(Locale.ROOT));
  }

  /** Whether nothing more will happen to the job. {@link #DEAD} rests, but is no end. */
  public boolean ended() {
    return this == SUCCEEDED || this == CANCELLED;
  }
}
