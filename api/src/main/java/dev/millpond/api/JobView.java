package dev.millpond.api;

import java.time.Instant;
import java.util.List;
import java.util.Locale;
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
 * @param holder what holds the job; null when it was not looked for
 * @param nextStep what happens next, in one sentence for people; null when it was not looked for
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
    @Nullable Progress progress,
    @Nullable Holder holder,
    @Nullable String nextStep) {

  /** A job whose holder was not looked for. */
  public JobView(
      Request request,
      JobState state,
      @Nullable String waitReason,
      int attempt,
      Timing timing,
      @Nullable String result,
      @Nullable JobError error,
      List<Attempt> attempts,
      @Nullable Progress progress) {
    this(
        request, state, waitReason, attempt, timing, result, error, attempts, progress, null, null);
  }

  /** The same job with its holder. */
  public JobView withHolder(Holder found, String next) {
    return new JobView(
        request,
        state,
        waitReason,
        attempt,
        timing,
        result,
        error,
        attempts,
        progress,
        found,
        next);
  }

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

  /**
   * What holds a job: a live job has exactly one holder. Null for what does not apply, or was not
   * found in time.
   *
   * @param worker that has it or had it last
   * @param dispatchId of the batch that a runnable job travels in
   * @param sentAt when that was sent to its stream
   * @param claimedAt when a worker claimed it from PostgreSQL
   * @param seenAt when the worker last said that it runs the job
   * @param deadline at which the attempt is ended, whatever its handler does
   */
  public record Holder(
      HolderType type,
      @Nullable Worker worker,
      @Nullable UUID dispatchId,
      @Nullable Instant sentAt,
      @Nullable Instant claimedAt,
      @Nullable Instant seenAt,
      @Nullable Instant deadline) {

    /** Without anything known but its type. */
    public static Holder of(HolderType type) {
      return new Holder(type, null, null, null, null, null, null);
    }
  }

  /** What can hold a job. */
  public enum HolderType {
    /** A batch on its way to a worker, or just with one. */
    BATCH,
    /** A state row of its own: scheduled, or running for a while. */
    STATE,
    /** Its outcome. */
    OUTCOME,
    DEAD_LETTER;

    /** The name used in REST and on the command line. */
    public String wireName() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
  }

  /** A worker; host and process only while its session is known. */
  public record Worker(UUID id, @Nullable String host, @Nullable Long pid) {}

  /** How far a run has come, by its own account. */
  public record Progress(int percent, @Nullable String message) {}
}
