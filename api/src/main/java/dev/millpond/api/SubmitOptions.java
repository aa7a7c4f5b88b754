package dev.millpond.api;

import java.time.Duration;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * How a submit is treated, apart from its jobs.
 *
 * @param waitAtMost how long it waits for room in a full queue before it is {@link
 *     SubmitResult.Refused}, 0 to {@link Limits#WAIT_MOST}. The commit is waited for besides
 * @param requestKey idempotency key of the request as a whole; null for none
 * @param gone asked now and then while it waits for room: whether nobody wants its answer any more,
 *     so that another one gets its place. Must not block
 * @param traceparent the trace that its jobs belong to, in the form of W3C Trace Context; ignored
 *     where it is not of that form; null: the current one, where the process traces
 */
public record SubmitOptions(
    Duration waitAtMost,
    @Nullable String requestKey,
    BooleanSupplier gone,
    @Nullable String traceparent) {
  /** Waits for up to five seconds. */
  public static final SubmitOptions DEFAULT = waiting(Duration.ofSeconds(5));

  /** Is refused at once when a queue is full. */
  public static final SubmitOptions NO_WAIT = waiting(Duration.ZERO);

  public SubmitOptions {
    if (waitAtMost.isNegative() || waitAtMost.compareTo(Limits.WAIT_MOST) > 0) {
      throw new IllegalArgumentException(
          "waitAtMost must be 0 to " + Limits.WAIT_MOST + ", is " + waitAtMost);
    }
  }

  /** Waits for room for up to so long. */
  public static SubmitOptions waiting(Duration atMost) {
    return new SubmitOptions(atMost, null, () -> false, null);
  }

  public SubmitOptions withRequestKey(@Nullable String key) {
    return new SubmitOptions(waitAtMost, key, gone, traceparent);
  }

  public SubmitOptions withGone(BooleanSupplier newGone) {
    return new SubmitOptions(waitAtMost, requestKey, newGone, traceparent);
  }

  /** With the trace that the jobs belong to. */
  public SubmitOptions withTraceparent(@Nullable String newTraceparent) {
    return new SubmitOptions(waitAtMost, requestKey, gone, newTraceparent);
  }
}
