package dev.millpond.server.http.queues;

import dev.millpond.server.config.Nearest;
import dev.millpond.server.http.json.FieldReader;
import dev.millpond.server.http.json.JsonReader;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonToken;

/** Reads who pauses something, and why. Checks the shape; the engine checks the values. */
final class PauseReader {
  private static final List<String> FIELDS = List.of("reason", "by");

  private PauseReader() {}

  /** What somebody says of a pause; both may be missing. */
  record Words(@Nullable String reason, @Nullable String by) {
    static final Words NONE = new Words(null, null);
  }

  /**
   * Reads {@code {"reason":…,"by":…}}.
   *
   * @throws dev.millpond.server.http.problem.ProblemException 400 when the body is no JSON, 422
   *     when a field cannot be used
   */
  static Words read(byte[] body) {
    return JsonReader.read(
        body,
        in -> {
          FieldReader values = new FieldReader(in);
          Words words = words(in, values);
          values.throwIfAny();
          return words;
        });
  }

  private static Words words(JsonReader in, FieldReader values) {
    String reason = null;
    String by = null;
    if (values.expect(JsonToken.START_OBJECT, "an object")) {
      while (in.next() == JsonToken.PROPERTY_NAME) {
        String name = in.text();
        in.next();
        switch (name) {
          case "reason" -> reason = values.string("a string");
          case "by" -> by = values.string("a string");
          default -> values.unknown("is no field here; nearest: " + Nearest.to(name, FIELDS));
        }
      }
    }
    return new Words(reason, by);
  }
}
