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
 */
public record SubmitOptions(
    Duration waitAtMost, @Nullable String requestKey, BooleanSupplier gone) {
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
    return new SubmitOptions(atMost, null, () -> false);
  }

  public SubmitOptions withRequestKey(@Nullable String key) {
    return new SubmitOptions(waitAtMost, key, gone);
  }

  public SubmitOptions withGone(BooleanSupplier newGone) {
    return new SubmitOptions(waitAtMost, requestKey, newGone);
  }
}
