package dev.millpond.server.traces;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millpond.api.HandlerModule;
import dev.millpond.api.HandlerOptions;
import dev.millpond.api.HandlerOptions.Executor;
import dev.millpond.api.Handlers;
import dev.millpond.engine.Millpond;
import dev.millpond.engine.MillpondConfig;
import dev.millpond.engine.trace.OpenTelemetryTracing;
import dev.millpond.server.config.ConfigKey;
import dev.millpond.server.config.ConfigValues;
import dev.millpond.server.config.ServerConfig;
import dev.millpond.server.http.HttpServer;
import dev.millpond.server.http.health.Readiness;
import dev.millpond.server.support.LiveServer;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.testing.exporter.InMemorySpanExporter;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SimpleSpanProcessor;
import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Spans of requests, and the one trace from a request to the commit of its job's end. */
class RequestSpansIT {
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final String TRACE = "0af7651916cd43dd8448eb211c80319c";
  private static final String CALLER = "b7ad6b7169203331";
  private static final String GIVEN = "00-" + TRACE + "-" + CALLER + "-01";
  private static final AttributeKey<String> PATH = AttributeKey.stringKey("url.path");

  private final InMemorySpanExporter spans = InMemorySpanExporter.create();
  private final HttpClient client = HttpClient.newHttpClient();
  private MillpondConfig engine;
  private Millpond millpond;
  private HttpServer http;

  /** A kind that runs in child processes, which make it anew. */
  public static final class InChild implements HandlerModule {
    @Override
    public void register(Handlers handlers) {
      handlers.registerHandler(
          "in-child",
          String.class,
          (context, payload) ->
              List.of(
                  String.valueOf(context.traceparent()),
                  Span.current().getSpanContext().getSpanId()),
          HandlerOptions.DEFAULT.withExecutor(Executor.FORKED));
    }
  }

  @BeforeEach
  void start() {
    ServerConfig config =
        ServerConfig.of(
            ConfigValues.load(
                Map.of(
                    ConfigKey.TIMING, "fast",
                    ConfigKey.HTTP_PORT, "0",
                    ConfigKey.PG_URL, LiveServer.migratedDatabase()),
                Map.of(),
                null));
    engine = config.engine();
    PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    OpenTelemetrySdk sdk =
        OpenTelemetrySdk.builder()
            .setTracerProvider(
                SdkTracerProvider.builder()
                    .addSpanProcessor(SimpleSpanProcessor.create(spans))
                    .build())
            .build();
    millpond = Millpond.connect(engine, registry, new OpenTelemetryTracing(sdk));
    millpond.registerModule(new InChild());
    http =
        HttpServer.start(
            new HttpServer.Parts(
                config.bind(),
                config.port(),
                config.bodies(),
                engine,
                true,
                config.access(),
                millpond,
                registry,
                new RequestSpans(sdk),
                new Readiness(millpond)));
  }

  @AfterEach
  void stop() {
    client.close();
    http.close();
    millpond.close();
    LiveServer.assertCleanBooks(engine);
  }

  private HttpResponse<String> send(HttpRequest.Builder request)
      throws IOException, InterruptedException {
    return client.send(request.timeout(PATIENCE).build(), BodyHandlers.ofString());
  }

  private HttpResponse<String> get(String path) throws IOException, InterruptedException {
    return send(HttpRequest.newBuilder(http.url().resolve(path)));
  }

  private HttpResponse<String> post(String path, String body, String trace)
      throws IOException, InterruptedException {
    return send(
        HttpRequest.newBuilder(http.url().resolve(path))
            .header("Content-Type", "application/json")
            .header("traceparent", trace)
            .POST(BodyPublishers.ofString(body)));
  }

  private List<SpanData> named(String name) {
    return spans.getFinishedSpanItems().stream().filter(s -> s.getName().equals(name)).toList();
  }

  /** A client may have its answer before the span has ended. */
  private SpanData one(String name) {
    until(name, () -> named(name).size() == 1);
    return named(name).getFirst();
  }

  private static void until(String what, Callable<Boolean> condition) {
    await(what).atMost(PATIENCE).until(condition);
  }

  @Test
  void oneTraceHoldsTheRequestTheSubmitTheRunInAChildAndTheCommit() throws Exception {
    millpond.startWorker();
    HttpResponse<String> answer =
        post("/v1/jobs", "{\"kind\":\"in-child\",\"payload\":\"\"}", GIVEN);
    assertThat(answer.statusCode()).isEqualTo(202);
    String id = LiveServer.json(answer).get("id").asString();
    SpanData request = one("POST /v1/jobs");
    assertThat(request.getParentSpanId()).isEqualTo(CALLER);
    assertThat(request.getKind()).isEqualTo(SpanKind.SERVER);
    assertThat(request.getStatus().getStatusCode()).isEqualTo(StatusCode.UNSET);
    assertThat(request.getAttributes().get(RequestSpans.METHOD)).isEqualTo("POST");
    assertThat(request.getAttributes().get(RequestSpans.ROUTE)).isEqualTo("/v1/jobs");
    assertThat(request.getAttributes().get(RequestSpans.STATUS)).isEqualTo(202);
    SpanData submit = one("submit in-child");
    assertThat(submit.getParentSpanId()).isEqualTo(request.getSpanId());
    SpanData run = one("run in-child");
    assertThat(run.getParentSpanId()).isEqualTo(submit.getSpanId());
    assertThat(one("wait in-child").getParentSpanId()).isEqualTo(submit.getSpanId());
    assertThat(one("commit in-child").getParentSpanId()).isEqualTo(run.getSpanId());
    assertThat(spans.getFinishedSpanItems()).hasSize(5).allMatch(s -> s.getTraceId().equals(TRACE));

    HttpResponse<String> job = get("/v1/jobs/" + id);
    assertThat(LiveServer.json(job).get("result").toString())
        .isEqualTo("[\"00-%s-%s-01\",\"%s\"]".formatted(TRACE, run.getSpanId(), run.getSpanId()));
    SpanData look = one("GET /v1/jobs/{id}");
    assertThat(look.getAttributes().get(PATH)).isEqualTo("/v1/jobs/" + id);
    assertThat(look.getTraceId()).isNotEqualTo(TRACE);
  }

  @Test
  void whatTheCallerDidWrongIsNoErrorOfTheServerAndWhatIsNoRequestOfTheApiHasNoSpan()
      throws Exception {
    assertThat(post("/v1/jobs/batch", "[{", GIVEN).statusCode()).isEqualTo(400);
    SpanData bad = one("POST /v1/jobs/batch");
    assertThat(bad.getTraceId()).isEqualTo(TRACE);
    assertThat(bad.getStatus().getStatusCode()).isEqualTo(StatusCode.UNSET);
    assertThat(bad.getAttributes().get(RequestSpans.STATUS)).isEqualTo(400);
    assertThat(bad.getAttributes().get(RequestSpans.ERROR)).isNull();
    assertThat(get("/v1/nowhere").statusCode()).isEqualTo(404);
    assertThat(one("GET").getAttributes().get(RequestSpans.ROUTE)).isNull();
    spans.reset();
    String unsampled = GIVEN.replace("-01", "-00");
    String nobodys = "{\"kind\":\"nobodys\",\"payload\":1}";
    assertThat(post("/v1/jobs", nobodys, unsampled).statusCode()).isEqualTo(202);
    assertThat(get("/health/live").statusCode()).isEqualTo(200);
    assertThat(get("/metrics").statusCode()).isEqualTo(200);
    assertThat(get("/ui/").statusCode()).isEqualTo(200);
    millpond.close();
    assertThat(get("/v1/queues").statusCode()).isGreaterThanOrEqualTo(500);
    SpanData broken = one("GET /v1/queues");
    assertThat(broken.getStatus().getStatusCode()).isEqualTo(StatusCode.ERROR);
    assertThat(broken.getAttributes().get(RequestSpans.ERROR)).startsWith("50");
    assertThat(spans.getFinishedSpanItems()).containsExactly(broken);
  }
}
