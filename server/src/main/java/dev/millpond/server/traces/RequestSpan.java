package dev.millpond.server.traces;

import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.context.Scope;
import org.jspecify.annotations.Nullable;

/** The span of a request, the current one until it ends. Used by the thread that began it. */
public final class RequestSpan {
  private static final int ERRORS_FROM = 500;

  private final RequestSpans of;
  private final String verb;
  private final Span span;
  private final Scope current;

  RequestSpan(RequestSpans of, String verb, Span span, Scope current) {
    this.of = of;
    this.verb = verb;
    this.span = span;
    this.current = current;
  }

  /**
   * Ends it. An answer of the caller's own making, as 422, is no error of the server.
   *
   * @param route as the API has it, with names for what varies; null where there is none
   * @param failure what came out of the answering; null when it came to its end
   */
  public void end(@Nullable String route, int status, @Nullable Throwable failure) {
    try {
      current.close();
      if (route != null) {
        span.updateName(verb + " " + route);
        span.setAttribute(RequestSpans.ROUTE, route);
      }
      span.setAttribute(RequestSpans.STATUS, (long) status);
      if (failure != null) {
        span.setStatus(StatusCode.ERROR).setAttribute(RequestSpans.ERROR, name(failure));
        span.recordException(failure);
      } else if (status >= ERRORS_FROM) {
        span.setStatus(StatusCode.ERROR).setAttribute(RequestSpans.ERROR, "" + status);
      }
      span.end();
    } catch (RuntimeException e) {
      of.failed(e);
    }
  }

  private static String name(Throwable failure) {
    return failure.getClass().getName();
  }
}
