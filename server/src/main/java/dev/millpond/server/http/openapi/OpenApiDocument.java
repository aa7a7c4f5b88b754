package dev.millpond.server.http.openapi;

import dev.millpond.server.http.json.Json;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import tools.jackson.core.JsonGenerator;

/** The OpenAPI 3.1 document of the HTTP API, as it was written by hand. Stateless. */
public final class OpenApiDocument {
  private static final String RESOURCE = "openapi.yaml";

  private OpenApiDocument() {}

  /** The document as it is committed. */
  public static byte[] yaml() {
    try (InputStream in = OpenApiDocument.class.getResourceAsStream(RESOURCE)) {
      if (in == null) {
        throw new IllegalStateException(RESOURCE + " is not in the jar");
      }
      return in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The same as JSON. */
  public static byte[] json() {
    Object root =
        new Yaml(new SafeConstructor(new LoaderOptions()))
            .load(new String(yaml(), StandardCharsets.UTF_8));
    return Json.write(out -> write(out, root));
  }

  private static void write(JsonGenerator out, Object value) {
    switch (value) {
      case Map<?, ?> map -> {
        out.writeStartObject();
        map.forEach((name, member) -> {
          out.writeName(name.toString());
          write(out, member);
        });
        out.writeEndObject();
      }
      case List<?> list -> {
        out.writeStartArray();
        list.forEach(item -> write(out, item));
        out.writeEndArray();
      }
      case Integer number -> out.writeNumber(number);
      case Boolean bool -> out.writeBoolean(bool);
      default -> out.writeString(value.toString());
    }
  }
}
