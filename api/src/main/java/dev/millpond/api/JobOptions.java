package dev.millpond.api;

import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What is rarely set on a job. Null means: as its kind says on the worker ({@link HandlerOptions}).
 *
 * @param maxAttempts 1 to {@link Limits#MAX_ATTEMPTS_CEILING}
 * @param backoff the wait between attempts
 * @param softTimeout after which the handler is told to stop
 * @param hardTimeout after which the attempt is ended whatever the handler does; above the soft one
 * @param tags at most {@link Limits#TAGS}, same alphabet as a kind
 * @param keepResult whether what the handler returns is stored
 * @param idempotencyKey at most {@link Limits#IDEMPOTENCY_KEY_CHARS} printable characters
 */
public record JobOptions(
    @Nullable Integer maxAttempts,
    @Nullable Backoff backoff,
    @Nullable Duration softTimeout,
    @Nullable Duration hardTimeout,
    List<String> tags,
    boolean keepResult,
    @Nullable String idempotencyKey) {

  public static final JobOptions DEFAULT =
      new JobOptions(null, null, null, null, List.of(), true, null);

  public JobOptions {
    tags = List.copyOf(tags);
  }

  public JobOptions withMaxAttempts(int attempts) {
    return new JobOptions(
        attempts, backoff, softTimeout, hardTimeout, tags, keepResult, idempotencyKey);
  }

  public JobOptions withBackoff(Backoff newBackoff) {
    return new JobOptions(
        maxAttempts, newBackoff, softTimeout, hardTimeout, tags, keepResult, idempotencyKey);
  }

  /** Sets the soft timeout, and the hard one {@link Limits#HARD_TIMEOUT_MARGIN} after it. */
  public JobOptions withTimeout(Duration soft) {
    return withTimeouts(soft, soft.plus(Limits.HARD_TIMEOUT_MARGIN));
  }

  public JobOptions withTimeouts(Duration soft, Duration hard) {
    return new JobOptions(maxAttempts, backoff, soft, hard, tags, keepResult, idempotencyKey);
  }

  public JobOptions withTags(String... newTags) {
    return new JobOptions(
        maxAttempts,
        backoff,
        softTimeout,
        hardTimeout,
        List.of(newTags),
        keepResult,
        idempotencyKey);
  }

  public JobOptions withKeepResult(boolean keep) {
    return new JobOptions(
        maxAttempts, backoff, softTimeout, hardTimeout, tags, keep, idempotencyKey);
  }

  public JobOptions withIdempotencyKey(String key) {
    return new JobOptions(maxAttempts, backoff, softTimeout, hardTimeout, tags, keepResult, key);
  }
}
