package dev.millpond.engine.trace;

import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.TraceFlags;
import io.opentelemetry.api.trace.TraceState;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.Scope;

/** A trace that came from another process, in OpenTelemetry's terms. */
public final class RemoteTrace {
  private RemoteTrace() {}

  /** With the span as the parent of what is begun in it. */
  static Context context(String traceparent) {
    SpanContext remote =
        SpanContext.createFromRemoteParent(
            TraceParent.traceId(traceparent),
            TraceParent.spanId(traceparent),
            TraceFlags.getSampled(),
            TraceState.getDefault());
    return Context.root().with(Span.wrap(remote));
  }

  /**
   * Makes it the current one of the calling thread.
   *
   * @param traceparent as {@link TraceParent#sampled} has it
   * @return ends that, on the same thread
   * @throws NoClassDefFoundError where OpenTelemetry is not on the class path
   */
  @SuppressWarnings("MustBeClosedChecker") // closed by what is returned
  public static Runnable enter(String traceparent) {
    Scope scope = context(traceparent).makeCurrent();
    return scope::close;
  }
}
