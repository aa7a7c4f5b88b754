package dev.millpond.server.traces;

import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.propagation.TextMapGetter;
import jakarta.servlet.http.HttpServletRequest;
import java.util.Collections;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes a span of each request of the API, within the trace that its caller has sent; named as the
 * conventions for HTTP have it, by verb and route. Health, metrics, pages, and the stream of
 * events, which lasts for hours, have none. Thread-safe; what OpenTelemetry throws keeps no request
 * from being answered.
 */
public final class RequestSpans {
  /**
   * Of a request that has a span, which is the current one: what is submitted belongs below it, and
   * not beside it, where the header points.
   */
  public static final String ATTRIBUTE = "dev.millpond.span";

  static final AttributeKey<String> METHOD = AttributeKey.stringKey("http.request.method");
  static final AttributeKey<String> ROUTE = AttributeKey.stringKey("http.route");
  static final AttributeKey<Long> STATUS = AttributeKey.longKey("http.response.status_code");
  static final AttributeKey<String> ERROR = AttributeKey.stringKey("error.type");
  private static final AttributeKey<String> SCHEME = AttributeKey.stringKey("url.scheme");
  private static final AttributeKey<String> PATH = AttributeKey.stringKey("url.path");
  private static final AttributeKey<String> AGENT = AttributeKey.stringKey("user_agent.original");

  /** Stand for a verb that nobody knows, by the conventions. */
  private static final String OTHER_NAME = "HTTP";

  private static final String OTHER_METHOD = "_OTHER";

  private static final String API = "/v1/";
  private static final String EVENTS = "/v1/events";

  private static final Logger log = LoggerFactory.getLogger(RequestSpans.class);

  private static final TextMapGetter<HttpServletRequest> HEADERS =
      new TextMapGetter<>() {
        @Override
        public Iterable<String> keys(HttpServletRequest request) {
          return Collections.list(request.getHeaderNames());
        }

        @Override
        public @Nullable String get(@Nullable HttpServletRequest request, String name) {
          return request == null ? null : request.getHeader(name);
        }
      };

  private final Tracer tracer;
  private final AtomicBoolean said = new AtomicBoolean();

  public RequestSpans(OpenTelemetry openTelemetry) {
    this.tracer = openTelemetry.getTracer("dev.millpond.http");
  }

  /**
   * Begins the span of a request on the thread that answers it, and makes it the current one.
   *
   * @param verb one of those that the server takes; null for any other
   * @return null where it has none
   */
  @SuppressWarnings("MustBeClosedChecker") // closed by the end of the span, in the same thread
  public @Nullable RequestSpan begin(@Nullable String verb, HttpServletRequest request) {
    String path = request.getRequestURI();
    if (!path.startsWith(API) || path.equals(EVENTS)) {
      return null;
    }
    try {
      Context caller =
          W3CTraceContextPropagator.getInstance().extract(Context.root(), request, HEADERS);
      String name = verb == null ? OTHER_NAME : verb;
      Span span =
          tracer
              .spanBuilder(name)
              .setSpanKind(SpanKind.SERVER)
              .setParent(caller)
              .setAttribute(METHOD, verb == null ? OTHER_METHOD : verb)
              .setAttribute(SCHEME, request.getScheme())
              .setAttribute(PATH, path)
              .startSpan();
      String agent = request.getHeader("User-Agent");
      if (agent != null) {
        span.setAttribute(AGENT, agent);
      }
      request.setAttribute(ATTRIBUTE, true);
      return new RequestSpan(this, name, span, caller.with(span).makeCurrent());
    } catch (RuntimeException e) {
      failed(e);
      return null;
    }
  }

  void failed(RuntimeException thrown) {
    if (said.compareAndSet(false, true)) {
      log.error("tracing fails, requests that it does not take are not traced", thrown);
    }
  }
}
