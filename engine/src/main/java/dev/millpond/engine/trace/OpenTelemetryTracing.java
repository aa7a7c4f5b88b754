package dev.millpond.engine.trace;

import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanBuilder;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.Scope;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gives the spans to OpenTelemetry, of which only the API has to be there. A submit is a producer's
 * span; the wait and all attempts of its jobs are its children. Names of attributes are those of
 * the conventions for messaging, and {@code millpond.…}.
 */
public final class OpenTelemetryTracing implements Tracing {
  private static final Logger log = LoggerFactory.getLogger(OpenTelemetryTracing.class);

  private static final AttributeKey<String> SYSTEM = AttributeKey.stringKey("messaging.system");
  private static final AttributeKey<String> QUEUE =
      AttributeKey.stringKey("messaging.destination.name");
  private static final AttributeKey<String> OPERATION =
      AttributeKey.stringKey("messaging.operation.type");
  private static final AttributeKey<String> JOB = AttributeKey.stringKey("messaging.message.id");
  private static final AttributeKey<Long> JOBS =
      AttributeKey.longKey("messaging.batch.message_count");
  private static final AttributeKey<String> KIND = AttributeKey.stringKey("millpond.kind");
  private static final AttributeKey<String> CLASS = AttributeKey.stringKey("millpond.class");
  private static final AttributeKey<Long> ATTEMPT = AttributeKey.longKey("millpond.attempt");
  private static final AttributeKey<Long> TOKEN = AttributeKey.longKey("millpond.token");
  private static final AttributeKey<String> WORKER = AttributeKey.stringKey("millpond.worker");

  /** Whether the attempt still had its job when it was written. */
  private static final AttributeKey<Boolean> COUNTS = AttributeKey.booleanKey("millpond.counts");

  private final Tracer tracer;
  private final AtomicBoolean said = new AtomicBoolean();

  public OpenTelemetryTracing(OpenTelemetry openTelemetry) {
    this.tracer = openTelemetry.getTracer("dev.millpond");
  }

  @Override
  public boolean on() {
    return true;
  }

  @Override
  public SubmitSpan submit(String kind, String queue, int jobs, @Nullable String traceparent) {
    try {
      String given = TraceParent.sampled(traceparent);
      Span span =
          tracer
              .spanBuilder("submit " + kind)
              .setSpanKind(SpanKind.PRODUCER)
              .setParent(given == null ? Context.current() : RemoteTrace.context(given))
              .setAttribute(SYSTEM, "millpond")
              .setAttribute(OPERATION, "send")
              .setAttribute(QUEUE, queue)
              .setAttribute(KIND, kind)
              .setAttribute(JOBS, (long) jobs)
              .startSpan();
      return new Submit(span);
    } catch (RuntimeException e) {
      failed(e);
      return NONE.submit(kind, queue, jobs, traceparent);
    }
  }

  @Override
  @SuppressWarnings("MustBeClosedChecker") // closed by the end of the span, in the same thread
  public RunSpan run(TracedRun run) {
    try {
      Context submit = RemoteTrace.context(run.traceparent());
      if (run.attempt() == 1) {
        describe(tracer.spanBuilder("wait " + run.kind()), run)
            .setParent(submit)
            .setStartTimestamp(run.madeAt())
            .startSpan()
            .end();
      }
      Span span =
          describe(tracer.spanBuilder("run " + run.kind()), run)
              .setSpanKind(SpanKind.CONSUMER)
              .setAttribute(OPERATION, "process")
              .setParent(submit)
              .startSpan();
      return new Run(run, span, submit.with(span).makeCurrent());
    } catch (RuntimeException e) {
      failed(e);
      return RunSpan.NONE;
    }
  }

  private static SpanBuilder describe(SpanBuilder builder, TracedRun run) {
    return builder
        .setAttribute(SYSTEM, "millpond")
        .setAttribute(QUEUE, run.queue())
        .setAttribute(JOB, run.jobId().toString())
        .setAttribute(KIND, run.kind())
        .setAttribute(CLASS, run.priorityClass())
        .setAttribute(ATTEMPT, (long) run.attempt())
        .setAttribute(TOKEN, (long) run.leaseToken())
        .setAttribute(WORKER, run.workerId().toString());
  }

  /** Of a span that is sampled; null of any other. */
  private static @Nullable String traceparent(Span span) {
    SpanContext context = span.getSpanContext();
    return context.isValid() && context.isSampled()
        ? "00-" + context.getTraceId() + "-" + context.getSpanId() + "-01"
        : null;
  }

  private void failed(RuntimeException thrown) {
    if (said.compareAndSet(false, true)) {
      log.error("tracing fails, what it does not take is not traced", thrown);
    }
  }

  private void end(Span span, @Nullable Throwable failure) {
    try {
      if (failure != null) {
        span.setStatus(StatusCode.ERROR, String.valueOf(failure.getMessage()));
        span.recordException(failure);
      }
      span.end();
    } catch (RuntimeException e) {
      failed(e);
    }
  }

  private final class Submit implements SubmitSpan {
    private final Span span;

    Submit(Span span) {
      this.span = span;
    }

    @Override
    public @Nullable String traceparent() {
      return OpenTelemetryTracing.traceparent(span);
    }

    @Override
    public void end(@Nullable Throwable failure) {
      OpenTelemetryTracing.this.end(span, failure);
    }
  }

  private final class Run implements RunSpan {
    private final TracedRun run;
    private final Span span;
    private final Scope current;

    Run(TracedRun run, Span span, Scope current) {
      this.run = run;
      this.span = span;
      this.current = current;
    }

    @Override
    public @Nullable String traceparent() {
      return OpenTelemetryTracing.traceparent(span);
    }

    @Override
    public void end(@Nullable Throwable failure) {
      try {
        current.close();
      } catch (RuntimeException e) {
        OpenTelemetryTracing.this.failed(e);
      }
      OpenTelemetryTracing.this.end(span, failure);
    }

    @Override
    public CommitSpan commit() {
      try {
        return new Commit(
            describe(tracer.spanBuilder("commit " + run.kind()), run)
                .setParent(Context.root().with(span))
                .startSpan());
      } catch (RuntimeException e) {
        OpenTelemetryTracing.this.failed(e);
        return CommitSpan.NONE;
      }
    }
  }

  private final class Commit implements CommitSpan {
    private final Span span;

    Commit(Span span) {
      this.span = span;
    }

    @Override
    public void end(boolean counts) {
      OpenTelemetryTracing.this.end(span.setAttribute(COUNTS, counts), null);
    }

    @Override
    public void failed(Throwable why) {
      OpenTelemetryTracing.this.end(span, why);
    }
  }
}
