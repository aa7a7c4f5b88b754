package dev.millpond.engine.trace;

import org.jspecify.annotations.Nullable;

/**
 * Where spans of submits and attempts go. What it throws must not keep a job from going on: its
 * implementations throw nothing. Thread-safe.
 */
public interface Tracing {
  /** Makes no spans; a trace that a submit is given travels with its jobs all the same. */
  Tracing NONE = new NoTracing();

  /** Whether spans are made at all: where not, nobody looks for the traces of jobs. */
  boolean on();

  /**
   * Begins the span of a submit.
   *
   * @param kind of its first job
   * @param queue of its first job
   * @param jobs how many there are
   * @param traceparent the context that the producer has given; null: the current one
   */
  SubmitSpan submit(String kind, String queue, int jobs, @Nullable String traceparent);

  /** Begins the span of an attempt on the thread that runs it, and makes it the current one. */
  RunSpan run(TracedRun run);
}
