package dev.millpond.engine.worker;

import dev.millpond.api.AttemptStoppedException;
import dev.millpond.api.FatalJobException;
import dev.millpond.api.JobView.JobError;
import dev.millpond.api.LeaseLostException;
import dev.millpond.engine.flush.Expired;
import dev.millpond.engine.flush.PayloadBytes;
import dev.millpond.engine.flush.Portion.Cancelled;
import dev.millpond.engine.flush.Portion.End;
import dev.millpond.engine.flush.Portion.Failure;
import dev.millpond.engine.flush.Portion.Next;
import dev.millpond.engine.flush.Portion.Paused;
import dev.millpond.engine.flush.Portion.Returned;
import dev.millpond.engine.flush.Portion.Success;
import dev.millpond.engine.lifecycle.store.PgArray;
import dev.millpond.engine.submit.JobJson;
import dev.millpond.engine.worker.forked.ForkedFailure;
import dev.millpond.engine.worker.store.ClaimStore.LoadedJob;
import dev.millpond.engine.worker.text.Texts;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/** What an attempt comes to, as it is to be written. Thread-safe. */
final class Ends {
  private final ChildDeaths deaths;
  private final int resultBytes;

  /**
   * @param deaths decides about jobs that have killed their child process
   * @param resultBytes the most a result may have
   */
  Ends(ChildDeaths deaths, int resultBytes) {
    this.deaths = deaths;
    this.resultBytes = resultBytes;
  }

  /**
   * Its handler has returned.
   *
   * @param result of the handler; kept where the job wants it
   */
  End succeeded(Attempt attempt, @Nullable Object result) {
    LoadedJob job = attempt.job();
    String text;
    try {
      text = attempt.options().keepResult() ? JobJson.result(result, resultBytes) : null;
    } catch (IllegalArgumentException e) {
      return failure(attempt, "fatal", Texts.error(e), new Next.Dead("fatal"));
    }
    return new Success(
        job.id(),
        job.token(),
        job.hasState(),
        job.attempt(),
        attempt.startedMicros(),
        text,
        attempt.resultTtlMicros(),
        bytes(job));
  }

  /** It has thrown, or its child process has died. */
  End failed(Attempt attempt, Throwable thrown) {
    if (thrown instanceof ForkedFailure failure) {
      End end =
          failure.handedBack()
              ? returned(attempt)
              : failed(attempt, failure.verdict(), failure.error());
      return failure.death() != null && end instanceof Failure failed
          ? failure(
              attempt, failed.ended(), failed.error(), deaths.after(attempt.job(), failed.next()))
          : end;
    }
    return failed(attempt, thrown, null);
  }

  /**
   * @param known the error to be stored; null for that of what was thrown
   */
  private static End failed(Attempt attempt, Throwable thrown, @Nullable JobError known) {
    JobError error = known == null ? Texts.error(thrown) : known;
    boolean stopped =
        thrown instanceof InterruptedException
            || thrown instanceof AttemptStoppedException
            || thrown instanceof LeaseLostException;
    return switch (attempt.reason()) {
      case CANCELLED -> cancelled(attempt);
      case SHUTDOWN -> returned(attempt);
      case TIMEOUT -> failure(attempt, "timed_out", thrown, error);
      case LOST, NONE ->
          failure(
              attempt,
              thrown instanceof FatalJobException && !stopped ? "fatal" : "failed",
              thrown,
              error);
    };
  }

  /** As if it had not begun. */
  static Returned returned(Attempt attempt) {
    LoadedJob job = attempt.job();
    return new Returned(job.id(), job.token(), job.hasState(), job.attempt(), bytes(job));
  }

  /** It has not begun, since this tag of its job is paused. */
  static Paused paused(Attempt attempt, String tag) {
    LoadedJob job = attempt.job();
    return new Paused(job.id(), job.token(), job.hasState(), job.attempt(), tag, bytes(job));
  }

  private static int bytes(LoadedJob job) {
    return PayloadBytes.of(job.payload());
  }

  private static Failure failure(Attempt attempt, String ended, Throwable thrown, JobError error) {
    Next next =
        attempt.policy().after(thrown, attempt.job().attempt(), ThreadLocalRandom.current());
    return failure(attempt, ended, error, next);
  }

  private static Failure failure(Attempt attempt, String ended, JobError error, Next next) {
    LoadedJob job = attempt.job();
    return new Failure(
        job.id(),
        job.token(),
        job.hasState(),
        job.attempt(),
        attempt.startedMicros(),
        ended,
        error,
        next,
        bytes(job));
  }

  /** Its handler did not stop within the hard timeout. */
  static Failure overtime(Attempt attempt) {
    Duration limit = attempt.hardTimeout();
    JobError error = new JobError("dev.millpond.HardTimeout", "did not stop within " + limit, null);
    return failure(attempt, "timed_out", new IllegalStateException(), error);
  }

  /** It was cancelled while its handler ran. */
  static Cancelled cancelled(Attempt attempt) {
    return cancelled(attempt, attempt.startedMicros(), null);
  }

  /** Its job had expired before its handler was called. */
  static Cancelled expired(Attempt attempt) {
    return cancelled(attempt, PgArray.NULL, Expired.error(attempt.expiresAt()));
  }

  /** Something stopped it before its handler was called. */
  static End unbegun(Attempt attempt) {
    return attempt.reason() == StopReason.CANCELLED
        ? cancelled(attempt, PgArray.NULL, null)
        : returned(attempt);
  }

  private static Cancelled cancelled(
      Attempt attempt, long startedMicros, @Nullable JobError error) {
    LoadedJob job = attempt.job();
    return new Cancelled(
        job.id(), job.token(), job.hasState(), job.attempt(), startedMicros, error, bytes(job));
  }
}
