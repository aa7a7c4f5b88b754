package dev.millpond.server.http.json;

import java.io.ByteArrayOutputStream;
import java.time.Instant;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/** Writes JSON as the API shows it: UTF-8, compact, absent fields left out. */
public final class Json {
  private static final JsonFactory FACTORY = new JsonFactory();

  /** The content of an answer. */
  @FunctionalInterface
  public interface Body {
    void write(JsonGenerator out);
  }

  private Json() {}

  public static byte[] write(Body body) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(256);
    try (JsonGenerator out = FACTORY.createGenerator(ObjectWriteContext.empty(), bytes)) {
      body.write(out);
    }
    return bytes.toByteArray();
  }

  /** A property that is left out when it is null. */
  public static void optional(JsonGenerator out, String name, @Nullable Object value) {
    if (value == null) {
      return;
    }
    switch (value) {
      case Integer number -> out.writeNumberProperty(name, number);
      case Boolean bool -> out.writeBooleanProperty(name, bool);
      case Enum<?> constant ->
          out.writeStringProperty(name, constant.name().toLowerCase(Locale.ROOT));
      case Instant instant -> out.writeStringProperty(name, instant.toString());
      default -> out.writeStringProperty(name, value.toString());
    }
  }

  /** A property whose value is JSON text already; left out when it is null. */
  public static void raw(JsonGenerator out, String name, @Nullable String json) {
    if (json != null) {
      out.writeName(name);
      out.writeRawValue(json);
    }
  }
}
