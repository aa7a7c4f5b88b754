package dev.millpond.api;

import java.time.Duration;
import java.util.UUID;

/** What became of a submitted job. */
public sealed interface SubmitResult {

  /** The job is new and committed in PostgreSQL. */
  record Accepted(UUID id) implements SubmitResult {}

  /** The same idempotency key and body were accepted before; this is the job of then. */
  record Existing(UUID id) implements SubmitResult {}

  /**
   * Nothing was written: the queue takes no more work for now.
   *
   * @param queue the queue's name
   * @param depth runnable and running jobs in it, as last counted
   * @param highWatermark the depth at which it stopped taking work
   * @param lowWatermark the depth below which it takes work again
   * @param retryAfter when to try again, from the measured drain rate
   */
  record Refused(
      String queue, long depth, long highWatermark, long lowWatermark, Duration retryAfter)
      implements SubmitResult {}
}
