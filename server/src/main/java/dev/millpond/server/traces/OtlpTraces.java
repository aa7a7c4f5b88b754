package dev.millpond.server.traces;

import dev.millpond.engine.trace.OpenTelemetryTracing;
import dev.millpond.engine.trace.Tracing;
import dev.millpond.server.config.TraceConfig;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.exporter.otlp.http.trace.OtlpHttpSpanExporter;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.resources.Resource;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.SpanLimits;
import io.opentelemetry.sdk.trace.export.BatchSpanProcessor;
import io.opentelemetry.sdk.trace.samplers.Sampler;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * Sends spans to a collector by OTLP over HTTP: in batches, from a thread of its own, out of a
 * queue of 2,048 spans. What does not fit is dropped, so that a collector that is away holds up
 * nothing.
 */
public final class OtlpTraces implements AutoCloseable {
  private static final Duration TIMEOUT = Duration.ofSeconds(5);
  private static final Duration EVERY = Duration.ofSeconds(1);
  private static final long LAST_SECONDS = 3;

  /** Of a path or a stack, say; what is longer is cut. */
  private static final int VALUE_CHARS = 16 * 1024;

  private final SdkTracerProvider provider;
  private final Tracing tracing;
  private final RequestSpans requests;

  private OtlpTraces(SdkTracerProvider provider) {
    this.provider = provider;
    OpenTelemetrySdk sdk = OpenTelemetrySdk.builder().setTracerProvider(provider).build();
    this.tracing = new OpenTelemetryTracing(sdk);
    this.requests = new RequestSpans(sdk);
  }

  public static OtlpTraces open(TraceConfig config) {
    OtlpHttpSpanExporter exporter =
        OtlpHttpSpanExporter.builder()
            .setEndpoint(config.tracesUrl().toString())
            .setTimeout(TIMEOUT)
            .build();
    return new OtlpTraces(
        SdkTracerProvider.builder()
            .setResource(
                Resource.getDefault()
                    .merge(
                        Resource.create(
                            Attributes.of(
                                AttributeKey.stringKey("service.name"),
                                "millpond",
                                AttributeKey.longKey("process.pid"),
                                ProcessHandle.current().pid()))))
            .setSpanLimits(SpanLimits.builder().setMaxAttributeValueLength(VALUE_CHARS).build())
            .setSampler(Sampler.parentBased(Sampler.traceIdRatioBased(config.ratio())))
            .addSpanProcessor(BatchSpanProcessor.builder(exporter).setScheduleDelay(EVERY).build())
            .build());
  }

  public Tracing tracing() {
    return tracing;
  }

  /** Spans of requests over HTTP. */
  public RequestSpans requests() {
    return requests;
  }

  /** Sends what is there, as far as a moment reaches. */
  @Override
  public void close() {
    provider.shutdown().join(LAST_SECONDS, TimeUnit.SECONDS);
  }
}
