package dev.millpond.api;

import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A job as one read saw it. Instants are the database's clock; JSON values are text.
 *
 * @param request what was asked
 * @param state where it is in its life
 * @param waitReason why a waiting or scheduled job waits, null otherwise
 * @param attempt the current or last attempt, from 1
 * @param timing when things happened
 * @param result what its handler returned, as JSON; null when none was kept
 * @param error the last error of a job that has not succeeded
 * @param attempts ended attempts, oldest first
 * @param progress as last reported by a run long enough to be tracked
 */
public record JobView(
    Request request,
    JobState state,
    @Nullable String waitReason,
    int attempt,
    Timing timing,
    @Nullable String result,
    @Nullable JobError error,
    List<Attempt> attempts,
    @Nullable Progress progress) {

  public UUID id() {
    return request.id();
  }

  /** What was asked, as stored. */
  public record Request(
      UUID id,
      String kind,
      String queue,
      String priorityClass,
      String payload,
      JobOptions options) {}

  /** Null for what has not happened yet; {@code runAt} only while scheduled. */
  public record Timing(
      Instant createdAt,
      @Nullable Instant runAt,
      @Nullable Instant startedAt,
      @Nullable Instant endedAt) {}

  /** Why an attempt failed. Texts are cut at {@link Limits#ERROR_BYTES}. */
  public record JobError(String type, @Nullable String message, @Nullable String stack) {
    /** Characters of its texts. */
    public int weight() {
      return type.length()
          + (message == null ? 0 : message.length())
          + (stack == null ? 0 : stack.length());
    }
  }

  /**
   * One ended attempt.
   *
   * @param ended {@code succeeded}, {@code failed}, {@code fatal}, {@code timed_out}, {@code
   *     rescued} or {@code cancelled}
   */
  public record Attempt(
      int attempt,
      int leaseToken,
      @Nullable UUID workerId,
      @Nullable Instant startedAt,
      Instant endedAt,
      String ended,
      @Nullable JobError error) {}

  /** How far a run has come, by its own account. */
  public record Progress(int percent, @Nullable String message) {}
}
