package dev.millpond.api;

import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What is rarely set on a job. Null means: as its kind says on the worker ({@link HandlerOptions}),
 * or not at all. Made by the {@code with} methods; the constructor has one parameter for each field
 * of a job, and is for those that read a job from somewhere.
 *
 * @param maxAttempts 1 to {@link Limits#MAX_ATTEMPTS_CEILING}
 * @param backoff the wait between attempts
 * @param softTimeout after which the handler is told to stop
 * @param hardTimeout after which the attempt is ended whatever the handler does; above the soft one
 * @param tags at most {@link Limits#TAGS}, same alphabet as a kind
 * @param keepResult whether what the handler returns is stored
 * @param idempotencyKey at most {@link Limits#IDEMPOTENCY_KEY_CHARS} printable characters
 * @param expiry until when an attempt may start; the job is cancelled after that
 * @param resultTtl how long the result is kept after the end, {@link Limits#RESULT_TTL_LEAST} to
 *     {@link Limits#RESULT_TTL_CEILING}; null: as long as the job
 * @param webhook called when the job has ended or has become a dead letter; at most {@link
 *     Limits#WEBHOOK_CHARS} characters
 */
public record JobOptions(
    @Nullable Integer maxAttempts,
    @Nullable Backoff backoff,
    @Nullable Duration softTimeout,
    @Nullable Duration hardTimeout,
    List<String> tags,
    boolean keepResult,
    @Nullable String idempotencyKey,
    @Nullable Expiry expiry,
    @Nullable Duration resultTtl,
    @Nullable URI webhook) {

  public static final JobOptions DEFAULT =
      new JobOptions(null, null, null, null, List.of(), true, null, null, null, null);

  /** Until when an attempt of a job may start. A job as it is stored has an instant. */
  public sealed interface Expiry {
    /** An instant of the database's clock. */
    record At(Instant expiresAt) implements Expiry {}

    /** A time from the submit on, by the database's clock. */
    record In(Duration expiresIn) implements Expiry {}
  }

  public JobOptions {
    tags = List.copyOf(tags);
  }

  public JobOptions withMaxAttempts(int attempts) {
    return changed(to -> to.maxAttempts = attempts);
  }

  public JobOptions withBackoff(Backoff newBackoff) {
    return changed(to -> to.backoff = newBackoff);
  }

  /** Sets the soft timeout, and the hard one {@link Limits#HARD_TIMEOUT_MARGIN} after it. */
  public JobOptions withTimeout(Duration soft) {
    return withTimeouts(soft, soft.plus(Limits.HARD_TIMEOUT_MARGIN));
  }

  public JobOptions withTimeouts(Duration soft, Duration hard) {
    return changed(to -> {
      to.softTimeout = soft;
      to.hardTimeout = hard;
    });
  }

  public JobOptions withTags(String... newTags) {
    return changed(to -> to.tags = List.of(newTags));
  }

  /** Whether the result is kept, and if so, as long as the job. */
  public JobOptions withKeepResult(boolean keep) {
    return changed(to -> {
      to.keepResult = keep;
      to.resultTtl = null;
    });
  }

  /** Keeps the result for this long after the end. */
  public JobOptions withResultTtl(Duration ttl) {
    return changed(to -> {
      to.keepResult = true;
      to.resultTtl = ttl;
    });
  }

  public JobOptions withIdempotencyKey(String key) {
    return changed(to -> to.idempotencyKey = key);
  }

  /** An attempt that has not started by then does not start; the job is cancelled. */
  public JobOptions withExpiresAt(Instant expiresAt) {
    return withExpiry(new Expiry.At(expiresAt));
  }

  /** An attempt that has not started this long after the submit does not start. */
  public JobOptions withExpiresIn(Duration expiresIn) {
    return withExpiry(new Expiry.In(expiresIn));
  }

  /** As {@link #withExpiresAt} and {@link #withExpiresIn}; null for none. */
  public JobOptions withExpiry(@Nullable Expiry newExpiry) {
    return changed(to -> to.expiry = newExpiry);
  }

  /** Calls this address when the job has ended or has become a dead letter. */
  public JobOptions withWebhook(URI url) {
    return changed(to -> to.webhook = url);
  }

  private JobOptions changed(Consumer<Draft> change) {
    Draft draft = new Draft(this);
    change.accept(draft);
    return draft.options();
  }

  /** A copy to be changed. */
  private static final class Draft {
    private @Nullable Integer maxAttempts;
    private @Nullable Backoff backoff;
    private @Nullable Duration softTimeout;
    private @Nullable Duration hardTimeout;
    private List<String> tags;
    private boolean keepResult;
    private @Nullable String idempotencyKey;
    private @Nullable Expiry expiry;
    private @Nullable Duration resultTtl;
    private @Nullable URI webhook;

    Draft(JobOptions from) {
      maxAttempts = from.maxAttempts;
      backoff = from.backoff;
      softTimeout = from.softTimeout;
      hardTimeout = from.hardTimeout;
      tags = from.tags;
      keepResult = from.keepResult;
      idempotencyKey = from.idempotencyKey;
      expiry = from.expiry;
      resultTtl = from.resultTtl;
      webhook = from.webhook;
    }

    JobOptions options() {
      return new JobOptions(
          maxAttempts,
          backoff,
          softTimeout,
          hardTimeout,
          tags,
          keepResult,
          idempotencyKey,
          expiry,
          resultTtl,
          webhook);
    }
  }
}
