package dev.millpond.engine.flush;

import dev.millpond.api.JobView.JobError;
import dev.millpond.engine.dispatch.Batch;
import dev.millpond.engine.dispatch.Lane;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * What a worker has to write of its jobs at one time. Its gate decides whether any of it counts:
 * the dispatch row for jobs of a batch, the running state row for tracked jobs (rules R3 to R5,
 * R7).
 *
 * @param lane of all its jobs
 * @param kind of all its jobs
 * @param batch the batch the jobs came in; null for tracked jobs
 * @param last whether the batch ends with this portion, so that its row is deleted
 * @param ends attempts that ended
 * @param started attempts that run on, to be tracked one by one; only with {@code last}
 * @param unstarted jobs to give back; only with {@code last}
 * @param elsewhere whether what is given back should go to a worker that knows its kind
 * @param logs lines of the ended attempts
 * @param webhooks whether one of its jobs has a webhook, which its end has to call
 * @param then called once after the commit, on a thread that must not be blocked
 */
public record Portion(
    Lane lane,
    String kind,
    @Nullable Batch batch,
    boolean last,
    List<End> ends,
    List<Started> started,
    List<Held> unstarted,
    boolean elsewhere,
    List<LogLine> logs,
    boolean webhooks,
    BiConsumer<Portion, Written> then) {

  /** A job and the token under which it is held. */
  public record Held(UUID jobId, int token, boolean hasState) {}

  /**
   * An attempt that runs on after its batch is dissolved.
   *
   * @param startedMicros database clock, microseconds since 1970
   * @param deadlineMillis from the commit to its hard timeout
   */
  public record Started(
      UUID jobId,
      int token,
      boolean hasState,
      int attempt,
      long startedMicros,
      long deadlineMillis) {}

  /** How an attempt ended. */
  public sealed interface End {
    UUID jobId();

    int token();

    boolean hasState();

    /** Of the job, in UTF-8: what leaves the depth with it. */
    int payloadBytes();

    /** Bytes of its result or error, roughly. */
    default int bytes() {
      return switch (this) {
        case Success success -> success.result() == null ? 0 : success.result().length();
        case Failure failure -> failure.error().weight();
        case Cancelled ignored -> 0;
        case Returned ignored -> 0;
        case Paused ignored -> 0;
      };
    }
  }

  /**
   * The handler returned.
   *
   * @param resultTtlMicros how long the result is kept from the commit on; 0: as long as the job
   */
  public record Success(
      UUID jobId,
      int token,
      boolean hasState,
      int attempt,
      long startedMicros,
      @Nullable String result,
      long resultTtlMicros,
      int payloadBytes)
      implements End {

    /** Whether its result is kept apart from its outcome. */
    public boolean resultApart() {
      return result != null && resultTtlMicros > 0;
    }
  }

  /**
   * The handler stopped after a cancellation was asked for, or did not begin because the job had
   * expired.
   *
   * @param startedMicros {@link dev.millpond.engine.lifecycle.store.PgArray#NULL} if it has not
   * @param error why, other than by a cancellation
   */
  public record Cancelled(
      UUID jobId,
      int token,
      boolean hasState,
      int attempt,
      long startedMicros,
      @Nullable JobError error,
      int payloadBytes)
      implements End {}

  /** The attempt was stopped by the end of its process; it is given back as if it had not begun. */
  public record Returned(UUID jobId, int token, boolean hasState, int attempt, int payloadBytes)
      implements End {}

  /**
   * The attempt has not begun, since a tag of its job is paused: the job waits.
   *
   * @param tag that is paused
   */
  public record Paused(
      UUID jobId, int token, boolean hasState, int attempt, String tag, int payloadBytes)
      implements End {}

  /**
   * The attempt failed.
   *
   * @param ended {@code failed}, {@code fatal} or {@code timed_out}
   */
  public record Failure(
      UUID jobId,
      int token,
      boolean hasState,
      int attempt,
      long startedMicros,
      String ended,
      JobError error,
      Next next,
      int payloadBytes)
      implements End {}

  /** What follows a failure. */
  public sealed interface Next {
    /** Another attempt after this wait, counted by the database's clock from the commit. */
    record Retry(long delayMicros) implements Next {}

    /** A dead letter. */
    record Dead(String reason) implements Next {}
  }

  /** One line of a job's log. */
  public record LogLine(UUID jobId, int token, int lineNo, long loggedMicros, String line) {}

  /**
   * What became of a portion.
   *
   * @param gone whether the batch's row was no longer there: somebody else has taken all of it
   * @param stale jobs whose write did not count, with {@code gone} all of them
   */
  public record Written(boolean gone, Set<UUID> stale) {}

  /** Rows it stands for in a flush. */
  public int rows() {
    return 1 + ends.size() + started.size() + unstarted.size() + logs.size();
  }

  /** Bytes it takes in a flush, roughly. */
  public int weight() {
    int weight = 64 * rows();
    for (End end : ends) {
      weight += end.bytes();
    }
    for (LogLine line : logs) {
      weight += line.line().length();
    }
    return weight;
  }

  /**
   * Whether it fits the hot lane: first attempts of a batch that all succeeded, with results that
   * are kept in their outcomes, and that nobody has to be told of.
   */
  public boolean plain() {
    if (batch == null
        || webhooks
        || !started.isEmpty()
        || !unstarted.isEmpty()
        || !logs.isEmpty()) {
      return false;
    }
    for (End end : ends) {
      if (!(end instanceof Success success)
          || success.hasState()
          || success.token() != 1
          || success.resultApart()) {
        return false;
      }
    }
    return !ends.isEmpty();
  }
}
