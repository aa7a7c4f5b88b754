package dev.millpond.server.logs;

import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.IThrowableProxy;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.encoder.EncoderBase;
import dev.millpond.engine.worker.CurrentJob;
import java.io.ByteArrayOutputStream;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.core.json.JsonWriteFeature;

/**
 * One JSON object a line for each event, in ASCII: whatever is in a message, it can neither end its
 * line nor steer a terminal. Long texts are cut. Named in logback.xml.
 */
public final class JsonLines extends EncoderBase<ILoggingEvent> {
  private static final int MESSAGE_MOST = 16 * 1024;
  private static final int STACK_MOST = 32 * 1024;

  /** Entries of a handler's own context that are written. */
  private static final int CONTEXT_MOST = 20;

  private static final String CUT = "…";
  private static final byte[] NOTHING = {};

  private final JsonFactory json =
      JsonFactory.builder().enable(JsonWriteFeature.ESCAPE_NON_ASCII).build();

  @Override
  public byte[] headerBytes() {
    return NOTHING;
  }

  @Override
  public byte[] footerBytes() {
    return NOTHING;
  }

  @Override
  public byte[] encode(ILoggingEvent event) {
    ByteArrayOutputStream line = new ByteArrayOutputStream(512);
    try (JsonGenerator out = json.createGenerator(ObjectWriteContext.empty(), line)) {
      out.writeStartObject();
      out.writeStringProperty("time", event.getInstant().toString());
      out.writeStringProperty("level", event.getLevel().toString());
      out.writeStringProperty("logger", event.getLoggerName());
      out.writeStringProperty("thread", event.getThreadName());
      out.writeStringProperty("message", cut(event.getFormattedMessage(), MESSAGE_MOST));
      writeError(out, event.getThrowableProxy());
      writeJob(out, CurrentJob.get());
      writeContext(out, event.getMDCPropertyMap());
      out.writeEndObject();
    }
    line.write('\n');
    return line.toByteArray();
  }

  private static void writeError(JsonGenerator out, @Nullable IThrowableProxy error) {
    if (error == null) {
      return;
    }
    out.writeObjectPropertyStart("error");
    out.writeStringProperty("type", error.getClassName());
    out.writeStringProperty("message", cut(error.getMessage(), MESSAGE_MOST));
    out.writeStringProperty("stack", cut(ThrowableProxyUtil.asString(error), STACK_MOST));
    out.writeEndObject();
  }

  private static void writeJob(JsonGenerator out, @Nullable CurrentJob job) {
    if (job == null) {
      return;
    }
    out.writeStringProperty("job", job.jobId().toString());
    out.writeStringProperty("queue", job.queue());
    out.writeStringProperty("kind", job.kind());
    out.writeNumberProperty("attempt", job.attempt());
    out.writeNumberProperty("token", job.leaseToken());
    out.writeStringProperty("worker", job.workerId().toString());
    if (job.traceId() != null) {
      out.writeStringProperty("trace", job.traceId());
    }
  }

  private static void writeContext(JsonGenerator out, Map<String, String> context) {
    if (context.isEmpty()) {
      return;
    }
    out.writeObjectPropertyStart("context");
    context.entrySet().stream()
        .limit(CONTEXT_MOST)
        .forEach(each ->
            out.writeStringProperty(
                cut(each.getKey(), MESSAGE_MOST), cut(each.getValue(), MESSAGE_MOST)));
    out.writeEndObject();
  }

  private static String cut(@Nullable String text, int most) {
    if (text == null) {
      return "";
    }
    return text.length() <= most ? text : text.substring(0, most) + CUT;
  }
}
