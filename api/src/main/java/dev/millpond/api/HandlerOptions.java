package dev.millpond.api;

import java.time.Duration;

/**
 * How a kind is run where a job does not say otherwise.
 *
 * @param executor the threads or processes it runs on
 * @param maxAttempts 1 to {@link Limits#MAX_ATTEMPTS_CEILING}
 * @param backoff the wait between attempts
 * @param softTimeout after which the handler is told to stop
 * @param hardTimeout after which the attempt is ended whatever the handler does; above the soft one
 */
public record HandlerOptions(
    Executor executor,
    int maxAttempts,
    Backoff backoff,
    Duration softTimeout,
    Duration hardTimeout) {

  /** Where a kind runs. */
  public enum Executor {
    /** For handlers that mostly wait (HTTP, SQL, files). */
    VIRTUAL,
    /** For handlers that compute, or pin their carrier thread. */
    PLATFORM,
    /**
     * In a child process, one job at a time in each, which is killed at the hard timeout: for code
     * that nobody vouches for. On Linux only, for handlers of a {@link HandlerModule}, and without
     * {@link JobContext#completeIn} and {@link JobContext#leaseToken}.
     */
    FORKED
  }

  public static final HandlerOptions DEFAULT =
      new HandlerOptions(
          Executor.VIRTUAL,
          Limits.MAX_ATTEMPTS,
          Backoff.DEFAULT,
          Limits.SOFT_TIMEOUT,
          Limits.SOFT_TIMEOUT.plus(Limits.HARD_TIMEOUT_MARGIN));

  public HandlerOptions {
    if (maxAttempts < 1 || maxAttempts > Limits.MAX_ATTEMPTS_CEILING) {
      throw new IllegalArgumentException(
          "maxAttempts must be 1 to " + Limits.MAX_ATTEMPTS_CEILING + ", is " + maxAttempts);
    }
    if (softTimeout.isNegative() || softTimeout.isZero()) {
      throw new IllegalArgumentException("softTimeout must be above zero, is " + softTimeout);
    }
    if (hardTimeout.compareTo(softTimeout) <= 0
        || hardTimeout.compareTo(Limits.TIMEOUT_CEILING) > 0) {
      throw new IllegalArgumentException(
          "hardTimeout must be above softTimeout ("
              + softTimeout
              + ") and at most "
              + Limits.TIMEOUT_CEILING
              + ", is "
              + hardTimeout);
    }
  }

  public HandlerOptions withExecutor(Executor newExecutor) {
    return new HandlerOptions(newExecutor, maxAttempts, backoff, softTimeout, hardTimeout);
  }

  public HandlerOptions withMaxAttempts(int attempts) {
    return new HandlerOptions(executor, attempts, backoff, softTimeout, hardTimeout);
  }

  public HandlerOptions withBackoff(Backoff newBackoff) {
    return new HandlerOptions(executor, maxAttempts, newBackoff, softTimeout, hardTimeout);
  }

  public HandlerOptions withTimeouts(Duration soft, Duration hard) {
    return new HandlerOptions(executor, maxAttempts, backoff, soft, hard);
  }
}
