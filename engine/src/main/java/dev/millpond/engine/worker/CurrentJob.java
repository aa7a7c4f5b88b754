package dev.millpond.engine.worker;

import dev.millpond.engine.trace.TraceParent;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The job whose handler the calling thread runs, for whoever writes a line of the log. Made only
 * when it is asked for: a job that logs nothing costs a reference.
 *
 * @param leaseToken its fencing token
 * @param workerId the session that runs it
 * @param traceId of the trace that it belongs to; null for none
 */
public record CurrentJob(
    UUID jobId,
    String queue,
    String kind,
    int attempt,
    int leaseToken,
    UUID workerId,
    @Nullable String traceId) {

  private static final ThreadLocal<@Nullable Attempt> IN_HAND = new ThreadLocal<>();

  /** The job in hand; null where the thread runs no handler. */
  public static @Nullable CurrentJob get() {
    Attempt attempt = IN_HAND.get();
    if (attempt == null) {
      return null;
    }
    String trace = RunTraces.trace(attempt);
    return new CurrentJob(
        attempt.jobId(),
        attempt.queue(),
        attempt.kind(),
        attempt.attempt(),
        attempt.leaseToken(),
        attempt.run().worker(),
        trace == null ? null : TraceParent.traceId(trace));
  }

  /** The calling thread runs its handler from now on. */
  static void take(Attempt attempt) {
    IN_HAND.set(attempt);
  }

  /** The handler has returned. */
  static void putDown() {
    IN_HAND.set(null);
  }
}
