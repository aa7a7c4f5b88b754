package dev.millpond.engine.flush;

import dev.millpond.api.SubmitResult.Refused;
import dev.millpond.api.UnavailableException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Jobs of one caller, to be committed together. Either a flush takes it or its caller gives it up,
 * whichever comes first; so a caller that gives up knows whether its jobs may have been committed.
 */
public final class SubmitWork {
  private static final long NO_DEADLINE = Long.MIN_VALUE;

  private enum Phase {
    QUEUED,
    TAKEN,
    GIVEN_UP
  }

  private final List<NewJob> jobs;
  private final int weight;
  private final CompletableFuture<@Nullable Refused> done = new CompletableFuture<>();
  private volatile long deadlineNanos = NO_DEADLINE;
  private final AtomicReference<Phase> phase = new AtomicReference<>(Phase.QUEUED);

  /**
   * @param jobs ids set, rules checked
   */
  public SubmitWork(List<NewJob> jobs) {
    this.jobs = jobs;
    this.weight = jobs.stream().mapToInt(NewJob::weight).sum();
  }

  public List<NewJob> jobs() {
    return jobs;
  }

  /** Completes with null after the commit, or with why the jobs were not taken. */
  public CompletableFuture<@Nullable Refused> done() {
    return done;
  }

  /** Sets when it is given up; an earlier time that was set does not count any more. */
  public void deadline(long nanos) {
    deadlineNanos = nanos;
  }

  /** Until another one is set, it is not given up. */
  public void noDeadline() {
    deadlineNanos = NO_DEADLINE;
  }

  /** Whether it is given up at this time, by {@link System#nanoTime}. */
  public boolean hasDeadline(long nanos) {
    return deadlineNanos == nanos;
  }

  /** Called by the writer before it first sends the jobs; false when the caller has given up. */
  public boolean take() {
    return phase.compareAndSet(Phase.QUEUED, Phase.TAKEN) || phase.get() == Phase.TAKEN;
  }

  /** Called when the caller's time is up. */
  public void giveUp() {
    end("PostgreSQL took no jobs in time", "PostgreSQL did not confirm the commit in time");
  }

  /** Called when nobody writes it any more. */
  public void abandon() {
    end(Writer.LOST, Writer.LOST);
  }

  private void end(String untouched, String taken) {
    boolean inDoubt = !phase.compareAndSet(Phase.QUEUED, Phase.GIVEN_UP);
    done.completeExceptionally(
        new UnavailableException(
            inDoubt
                ? taken
                    + "; the jobs may have been accepted."
                    + " Submit again with an idempotency key to be sure"
                : untouched + "; nothing was written. Try again",
            inDoubt,
            null));
  }

  /** Bytes of its jobs, roughly. */
  public int weight() {
    return weight;
  }
}
