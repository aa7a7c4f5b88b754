package dev.millpond.api;

import java.util.UUID;

/** An idempotency key was used before, for another request. Nothing was written. */
public final class IdempotencyConflictException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final UUID jobId;
  private final int index;

  /**
   * @param jobId the job that the key names
   * @param index of the request in its batch, 0 for a single one, -1 for the key of the batch
   */
  public IdempotencyConflictException(UUID jobId, int index) {
    super(
        "The idempotency key of "
            + (index < 0 ? "the whole request" : "request " + index)
            + " names job "
            + jobId
            + " of another body");
    this.jobId = jobId;
    this.index = index;
  }

  public UUID jobId() {
    return jobId;
  }

  /** Index of the request in its batch, 0 for a single one, -1 for the key of the batch. */
  public int index() {
    return index;
  }
}
