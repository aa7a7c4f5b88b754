package dev.millpond.engine.trace;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.api.Backoff;
import dev.millpond.api.HandlerOptions;
import dev.millpond.api.JobOptions;
import dev.millpond.api.JobRequest;
import dev.millpond.api.JobState;
import dev.millpond.api.JobView;
import dev.millpond.api.SubmitOptions;
import dev.millpond.api.SubmitResult;
import dev.millpond.engine.Database;
import dev.millpond.engine.Fleet;
import dev.millpond.engine.Fleet.Mode;
import dev.millpond.engine.Millpond;
import dev.millpond.engine.worker.CurrentJob;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Context;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.testing.exporter.InMemorySpanExporter;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SimpleSpanProcessor;
import io.opentelemetry.sdk.trace.samplers.Sampler;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Traces from submit to completion, by the SDK of OpenTelemetry. */
class TraceIT {
  private static final String GIVEN = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  private static final AttributeKey<String> JOB = AttributeKey.stringKey("messaging.message.id");
  private static final AttributeKey<Long> ATTEMPT = AttributeKey.longKey("millpond.attempt");

  private static final AttributeKey<Boolean> COUNTS = AttributeKey.booleanKey("millpond.counts");

  private static Database database;

  private final InMemorySpanExporter spans = InMemorySpanExporter.create();

  @BeforeAll
  static void open() {
    database = Database.fresh();
  }

  @AfterAll
  static void shut() {
    database.close();
  }

  private OpenTelemetrySdk sdk(Sampler sampler) {
    return OpenTelemetrySdk.builder()
        .setTracerProvider(
            SdkTracerProvider.builder()
                .setSampler(sampler)
                .addSpanProcessor(SimpleSpanProcessor.create(spans))
                .build())
        .build();
  }

  private List<SpanData> named(String name) {
    return spans.getFinishedSpanItems().stream().filter(s -> s.getName().equals(name)).toList();
  }

  private SpanData one(String name) {
    Fleet.until(name, () -> named(name).size() == 1);
    return named(name).getFirst();
  }

  @Test
  void aTraceHasTheSubmitTheWaitAllAttemptsAndWhatTheHandlerDoes() {
    OpenTelemetrySdk sdk = sdk(Sampler.alwaysOn());
    Tracer users = sdk.getTracer("users");
    Fleet fleet = Fleet.on(database, Mode.STREAMS).traced(new OpenTelemetryTracing(sdk));
    Millpond producer = fleet.producer();
    Millpond worker =
        fleet.worker(m -> {
          m.registerHandler(
              "first",
              String.class,
              (context, payload) -> {
                if (context.attempt() == 1) {
                  throw new IllegalStateException("not yet");
                }
                users.spanBuilder("query").startSpan().end();
                m.submit(JobRequest.of("second", "x"));
                return null;
              },
              HandlerOptions.DEFAULT.withBackoff(
                  new Backoff(Duration.ofMillis(1), Duration.ofMillis(2))));
          m.registerHandler("second", String.class, (context, payload) -> null);
        });
    worker.startMaintenance();
    JobRequest first = JobRequest.of("first", "x");
    Span request = users.spanBuilder("request").startSpan();
    Runnable submitting = () -> Fleet.submit(producer, first, 1);
    Context.current().with(request).wrap(submitting).run();
    request.end();
    fleet.untilEnded(2);

    SpanData last = one("run second");
    SpanData submit = one("submit first");
    Fleet.until("both attempts", () -> named("run first").size() == 2);
    assertThat(spans.getFinishedSpanItems())
        .as("all of one trace")
        .allMatch(span -> span.getTraceId().equals(request.getSpanContext().getTraceId()));
    assertThat(submit.getParentSpanId()).isEqualTo(request.getSpanContext().getSpanId());
    assertThat(submit.getKind()).isEqualTo(SpanKind.PRODUCER);
    assertThat(one("wait first").getParentSpanId()).isEqualTo(submit.getSpanId());
    SpanData failed = attempt("run first", 1);
    SpanData succeeded = attempt("run first", 2);
    assertThat(failed.getParentSpanId()).isEqualTo(submit.getSpanId());
    assertThat(failed.getStatus().getStatusCode()).isEqualTo(StatusCode.ERROR);
    assertThat(failed.getEvents()).hasSize(1);
    assertThat(succeeded.getParentSpanId()).isEqualTo(submit.getSpanId());
    assertThat(succeeded.getStatus().getStatusCode()).isEqualTo(StatusCode.UNSET);
    assertThat(succeeded.getKind()).isEqualTo(SpanKind.CONSUMER);
    assertThat(succeeded.getAttributes().get(JOB)).isEqualTo(failed.getAttributes().get(JOB));
    Fleet.until("both commits", () -> named("commit first").size() == 2);
    assertThat(named("commit first"))
        .extracting(SpanData::getParentSpanId)
        .containsExactlyInAnyOrder(failed.getSpanId(), succeeded.getSpanId());
    assertThat(named("commit first"))
        .allMatch(span -> Boolean.TRUE.equals(span.getAttributes().get(COUNTS)));
    assertThat(one("query").getParentSpanId()).isEqualTo(succeeded.getSpanId());
    SpanData child = one("submit second");
    assertThat(child.getParentSpanId()).isEqualTo(succeeded.getSpanId());
    assertThat(last.getParentSpanId()).isEqualTo(child.getSpanId());
    fleet.end();
  }

  private SpanData attempt(String name, long number) {
    return named(name).stream()
        .filter(span -> Long.valueOf(number).equals(span.getAttributes().get(ATTEMPT)))
        .findFirst()
        .orElseThrow();
  }

  @Test
  void aHandlersOwnTransactionIsTheCommitOfItsAttemptUnlessItWasRolledBack() {
    Fleet fleet =
        Fleet.on(database, Mode.POSTGRES).traced(new OpenTelemetryTracing(sdk(Sampler.alwaysOn())));
    Millpond node =
        fleet.worker(m ->
            m.registerHandler(
                "pay",
                String.class,
                (context, payload) -> {
                  context.completeIn(tx -> {
                    if (context.attempt() == 1) {
                      throw new IllegalStateException("no funds");
                    }
                    return context.traceparent();
                  });
                  return null;
                },
                HandlerOptions.DEFAULT.withBackoff(
                    new Backoff(Duration.ofMillis(1), Duration.ofMillis(2)))));
    node.startMaintenance();
    UUID id = Fleet.submit(node, JobRequest.of("pay", ""), 1).getFirst();
    JobView job = fleet.untilState(id, JobState.SUCCEEDED);
    Fleet.until("both runs", () -> named("run pay").size() == 2);
    Fleet.until("their commits", () -> named("commit pay").size() == 3);
    SpanData first = attempt("run pay", 1);
    SpanData second = attempt("run pay", 2);
    assertThat(job.result()).contains(second.getTraceId() + "-" + second.getSpanId());
    List<SpanData> ofFirst =
        named("commit pay").stream()
            .filter(span -> span.getParentSpanId().equals(first.getSpanId()))
            .toList();
    assertThat(ofFirst).as("what was rolled back, and the failure").hasSize(2);
    assertThat(ofFirst.getFirst().getStatus().getStatusCode()).isEqualTo(StatusCode.ERROR);
    assertThat(ofFirst.getLast().getAttributes().get(COUNTS)).isTrue();
    SpanData own = attempt("commit pay", 2);
    assertThat(own.getParentSpanId()).isEqualTo(second.getSpanId());
    assertThat(own.getAttributes().get(COUNTS)).isTrue();
    fleet.end();
  }

  @Test
  void aTraceThatIsNotSampledIsNotStoredAndNothingOfItsJobsIsTraced() {
    Fleet fleet =
        Fleet.on(database, Mode.POSTGRES)
            .traced(new OpenTelemetryTracing(sdk(Sampler.alwaysOff())));
    Millpond node =
        fleet.worker(m -> m.registerHandler("noop", String.class, (context, payload) -> null));
    Fleet.submit(node, JobRequest.of("noop", "x"), 3);
    fleet.untilEnded(3);
    assertThat(database.number("SELECT count(*) FROM millpond.job WHERE options IS NOT NULL"))
        .isZero();
    assertThat(spans.getFinishedSpanItems()).isEmpty();
    fleet.end();
  }

  @Test
  void aProcessThatTracesNothingPassesATraceOnAndAWorkerThatTracesGoesOnWithIt() {
    Fleet fleet = Fleet.on(database, Mode.POSTGRES);
    Millpond producer = fleet.producer();
    AtomicReference<@Nullable CurrentJob> seen = new AtomicReference<>();
    fleet
        .traced(new OpenTelemetryTracing(sdk(Sampler.parentBased(Sampler.alwaysOff()))))
        .worker(m ->
            m.registerHandler(
                "noop",
                String.class,
                (context, payload) -> {
                  seen.set(CurrentJob.get());
                  return null;
                }));
    SubmitOptions given = SubmitOptions.DEFAULT.withTraceparent(GIVEN);
    UUID id = Fleet.ids(producer.submit(List.of(JobRequest.of("noop", "x")), given)).getFirst();
    fleet.untilEnded(1);
    SpanData run = one("run noop");
    assertThat(run.getTraceId()).isEqualTo("0af7651916cd43dd8448eb211c80319c");
    assertThat(run.getParentSpanId()).isEqualTo("b7ad6b7169203331");
    CurrentJob inHand = requireNonNull(seen.get());
    assertThat(inHand.jobId()).isEqualTo(id);
    assertThat(inHand.traceId()).isEqualTo("0af7651916cd43dd8448eb211c80319c");
    assertThat(CurrentJob.get()).isNull();
    fleet.end();
  }

  @Test
  void aRepeatedSubmitIsTheSameInWhateverTraceItComes() {
    Fleet fleet = Fleet.on(database, Mode.POSTGRES);
    Millpond producer = fleet.producer();
    List<JobRequest> request =
        List.of(
            JobRequest.of("nobodys", "x")
                .withOptions(JobOptions.DEFAULT.withTags("a").withIdempotencyKey("order-1")));
    UUID id =
        Fleet.ids(producer.submit(request, SubmitOptions.DEFAULT.withTraceparent(GIVEN)))
            .getFirst();
    assertThat(producer.submit(request, SubmitOptions.DEFAULT).getFirst())
        .isEqualTo(new SubmitResult.Existing(id));
    assertThat(producer.find(id).orElseThrow().state()).isEqualTo(JobState.RUNNABLE);
    assertThat(
            database.number(
                "SELECT count(*) FROM millpond.job WHERE options::json ->> 'traceparent' = '"
                    + GIVEN
                    + "' AND options::json -> 'tags' IS NOT NULL"))
        .isEqualTo(1);
    fleet.end();
  }

  @Test
  void whatIsNoTraceparentIsIgnored() {
    for (String text :
        List.of(
            "",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            GIVEN + "\"",
            "ff" + GIVEN.substring(2))) {
      assertThat(TraceParent.sampled(text)).as(text).isNull();
    }
    assertThat(TraceParent.sampled(GIVEN)).isEqualTo(GIVEN);
  }
}
