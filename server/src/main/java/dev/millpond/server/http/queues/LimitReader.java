package dev.millpond.server.http.queues;

import dev.millpond.engine.flow.Limit;
import dev.millpond.engine.flow.Limit.Rate;
import dev.millpond.server.config.Nearest;
import dev.millpond.server.http.json.FieldReader;
import dev.millpond.server.http.json.JsonReader;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonToken;

/** Reads a limit from a body. Checks the shape; the engine checks the values. Not thread-safe. */
final class LimitReader {
  private static final List<String> FIELDS = List.of("concurrency", "rate");
  private static final List<String> RATE_FIELDS = List.of("permits", "per", "burst");

  private final JsonReader in;
  private final FieldReader values;

  private LimitReader(JsonReader in) {
    this.in = in;
    this.values = new FieldReader(in);
  }

  /**
   * Reads {@code {"concurrency":…,"rate":{"permits":…,"per":…,"burst":…}}}.
   *
   * @throws dev.millpond.server.http.problem.ProblemException 400 when the body is no JSON, 422
   *     when a field cannot be used
   */
  static Limit read(byte[] body) {
    return JsonReader.read(
        body,
        in -> {
          LimitReader reader = new LimitReader(in);
          Limit limit = reader.limit();
          reader.values.throwIfAny();
          return limit;
        });
  }

  private Limit limit() {
    Integer concurrency = null;
    Rate rate = null;
    if (values.expect(JsonToken.START_OBJECT, "an object")) {
      while (in.next() == JsonToken.PROPERTY_NAME) {
        String name = in.text();
        in.next();
        switch (name) {
          case "concurrency" -> concurrency = values.integer();
          case "rate" -> rate = rate();
          default -> values.unknown("is no limit; nearest: " + Nearest.to(name, FIELDS));
        }
      }
    }
    return new Limit(concurrency, rate);
  }

  /** The burst is as large as the permits unless it is given. */
  private @Nullable Rate rate() {
    if (!values.expect(JsonToken.START_OBJECT, "an object with permits and per")) {
      return null;
    }
    Integer permits = null;
    Duration per = null;
    Integer burst = null;
    boolean permitsGiven = false;
    boolean perGiven = false;
    while (in.next() == JsonToken.PROPERTY_NAME) {
      String name = in.text();
      in.next();
      switch (name) {
        case "permits" -> {
          permitsGiven = true;
          permits = values.integer();
        }
        case "per" -> {
          perGiven = true;
          per = values.duration();
        }
        case "burst" -> burst = values.integer();
        default ->
            values.unknown("is no field of a rate; nearest: " + Nearest.to(name, RATE_FIELDS));
      }
    }
    if (!permitsGiven) {
      values.error("/rate/permits", "required", "is missing");
    }
    if (!perGiven) {
      values.error("/rate/per", "required", "is missing");
    }
    return permits == null || per == null
        ? null
        : new Rate(permits, per, burst == null ? permits : burst);
  }
}
