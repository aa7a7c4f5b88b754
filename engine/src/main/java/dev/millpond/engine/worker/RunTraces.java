package dev.millpond.engine.worker;

import dev.millpond.engine.lifecycle.store.IdTime;
import dev.millpond.engine.submit.JobJson;
import dev.millpond.engine.trace.RunSpan;
import dev.millpond.engine.trace.TracedRun;
import dev.millpond.engine.trace.Tracing;
import java.time.Instant;
import java.util.UUID;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Begins the spans of attempts, of jobs that have a trace. Thread-safe. */
public final class RunTraces {
  private final Tracing tracing;
  private final Supplier<UUID> session;

  /**
   * @param session the worker's identity now
   */
  public RunTraces(Tracing tracing, Supplier<UUID> session) {
    this.tracing = tracing;
    this.session = session;
  }

  /** Whether attempts have spans at all. */
  boolean on() {
    return tracing.on();
  }

  UUID worker() {
    return session.get();
  }

  /** On the thread that runs it. Where nothing is traced, nothing is looked for. */
  RunSpan begin(Attempt attempt) {
    if (!tracing.on()) {
      return RunSpan.NONE;
    }
    String traceparent = trace(attempt);
    if (traceparent == null) {
      return RunSpan.NONE;
    }
    RunSpan span =
        tracing.run(
            new TracedRun(
                attempt.jobId(),
                attempt.queue(),
                attempt.run().lane().priorityClass(),
                attempt.kind(),
                attempt.attempt(),
                attempt.leaseToken(),
                worker(),
                Instant.ofEpochMilli(IdTime.millis(attempt.jobId())),
                traceparent));
    attempt.traced(span);
    return span;
  }

  /** The trace of its job; null for none. */
  static @Nullable String trace(Attempt attempt) {
    return JobJson.trace(attempt.job().options());
  }
}
