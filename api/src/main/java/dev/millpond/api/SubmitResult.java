package dev.millpond.api;

import java.time.Duration;
import java.time.Instant;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** What became of a submitted job. */
public sealed interface SubmitResult {

  /**
   * The job is new and committed in PostgreSQL.
   *
   * @param estimatedStartAt when it will start, as far as the jobs before it and what leaves its
   *     queue tell; null for one that is scheduled, where no job has left for a while, and in
   *     queues without watermarks
   */
  record Accepted(UUID id, @Nullable Instant estimatedStartAt) implements SubmitResult {
    /** Without an estimate. */
    public Accepted(UUID id) {
      this(id, null);
    }
  }

  /** The same idempotency key and body were accepted before; this is the job of then. */
  record Existing(UUID id) implements SubmitResult {}

  /**
   * Nothing was written: the queue takes no more work for now.
   *
   * @param queue the queue's name
   * @param measure by which it is full, and in which the three numbers are
   * @param depth what is in it, as last counted
   * @param highWatermark the depth at which it stopped taking work
   * @param lowWatermark the depth below which it takes work again
   * @param retryAfter when to try again, from the measured drain rate
   */
  record Refused(
      String queue,
      Measure measure,
      long depth,
      long highWatermark,
      long lowWatermark,
      Duration retryAfter)
      implements SubmitResult {}

  /** By what a queue can be full. */
  enum Measure {
    /** Runnable and running jobs. */
    JOBS,
    /** The bytes of their payloads, in UTF-8. */
    PAYLOAD_BYTES,
    /** Jobs that are scheduled or wait; they are capped apart. */
    SCHEDULED_JOBS;

    /** In words, behind a number. */
    public String unit() {
      return switch (this) {
        case JOBS -> "jobs";
        case PAYLOAD_BYTES -> "bytes";
        case SCHEDULED_JOBS -> "scheduled jobs";
      };
    }
  }
}
