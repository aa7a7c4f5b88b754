package dev.millpond.engine.worker.forked;

import dev.millpond.api.AttemptStoppedException;
import dev.millpond.api.FatalJobException;
import dev.millpond.api.JobView.JobError;
import dev.millpond.api.Limits;
import dev.millpond.api.RetryJobException;
import dev.millpond.engine.worker.text.Texts;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** What came of a run in a child process, if no result did. */
public final class ForkedFailure extends Exception {
  private static final long serialVersionUID = 1L;

  private final transient JobError error;
  private final Throwable verdict;
  private final @Nullable ChildDeath death;
  private final boolean handedBack;

  private ForkedFailure(
      JobError error, Throwable verdict, @Nullable ChildDeath death, boolean handedBack) {
    super(error.message(), null, false, false);
    this.error = error;
    this.verdict = verdict;
    this.death = death;
    this.handedBack = handedBack;
  }

  /** The handler has thrown. */
  static ForkedFailure thrown(Frame.Failed failed) {
    String message = Texts.cut(failed.message(), Limits.ERROR_BYTES);
    String text = String.valueOf(message);
    Throwable verdict =
        switch (failed.verdict()) {
          case ORDINARY -> new IllegalStateException(text);
          case FATAL -> new FatalJobException(text);
          case RETRY -> new RetryJobException(text, delay(failed.delayMillis()));
          case STOPPED -> new AttemptStoppedException(text);
        };
    String type = Texts.line(failed.type());
    String stack = Texts.cut(failed.stack(), Limits.ERROR_BYTES);
    return new ForkedFailure(new JobError(type, message, stack), verdict, null, false);
  }

  private static Duration delay(long millis) {
    return Duration.ofMillis(Math.clamp(millis, 0, Limits.RUN_AT_CEILING.toMillis()));
  }

  /** The child has died of it. */
  static ForkedFailure died(ChildDeath death, String message, String output) {
    String stack = output.isEmpty() ? null : "last output:\n" + output;
    JobError error =
        new JobError(
            death.type(),
            Texts.cut(message, Limits.ERROR_BYTES),
            Texts.cut(stack, Limits.ERROR_BYTES));
    return new ForkedFailure(error, new IllegalStateException(message), death, false);
  }

  /** It was not the job's fault: the attempt does not count. */
  static ForkedFailure handedBack(String message) {
    return new ForkedFailure(
        new JobError("dev.millpond.ChildUnavailable", message, null),
        new IllegalStateException(message),
        null,
        true);
  }

  /** As it is stored. */
  public JobError error() {
    return error;
  }

  /** An error in this process that has the same consequences. */
  public Throwable verdict() {
    return verdict;
  }

  /** How the attempt has killed its child; null when it has not. */
  public @Nullable ChildDeath death() {
    return death;
  }

  /** Whether the attempt is to be given back as if it had not begun. */
  public boolean handedBack() {
    return handedBack;
  }
}
