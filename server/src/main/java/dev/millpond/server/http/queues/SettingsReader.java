package dev.millpond.server.http.queues;

import dev.millpond.engine.admission.Watermarks;
import dev.millpond.engine.flow.QueueChange;
import dev.millpond.engine.flow.Setting;
import dev.millpond.server.config.Nearest;
import dev.millpond.server.http.json.FieldReader;
import dev.millpond.server.http.json.JsonReader;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonToken;

/**
 * Reads settings of a queue from a body. Checks the shape: known fields of the right type; the
 * engine checks the values. Not thread-safe.
 */
final class SettingsReader {
  private static final List<String> FIELDS =
      List.of(
          "weight",
          "aging",
          "highWatermark",
          "lowWatermark",
          "highWatermarkMib",
          "lowWatermarkMib");

  /** For a queue that is never full. */
  private static final String NO_MARK = "none";

  private final JsonReader in;
  private final FieldReader values;

  private SettingsReader(JsonReader in) {
    this.in = in;
    this.values = new FieldReader(in);
  }

  /**
   * Reads {@code {"weights":{class:weight, …}}}.
   *
   * @throws dev.millpond.server.http.problem.ProblemException 400 when the body is no JSON, 422
   *     when a field cannot be used
   */
  static Map<String, Integer> weights(byte[] body) {
    return JsonReader.read(
        body,
        in -> {
          SettingsReader reader = new SettingsReader(in);
          Map<String, Integer> weights = reader.weights();
          reader.values.throwIfAny();
          return weights;
        });
  }

  /**
   * Reads a change of a queue: {@code null} sets a default, what is absent stays as it is.
   *
   * @throws dev.millpond.server.http.problem.ProblemException as {@link #weights(byte[])}
   */
  static QueueChange change(byte[] body) {
    return JsonReader.read(
        body,
        in -> {
          SettingsReader reader = new SettingsReader(in);
          QueueChange change = reader.change();
          reader.values.throwIfAny();
          return change;
        });
  }

  private Map<String, Integer> weights() {
    Map<String, Integer> weights = new LinkedHashMap<>();
    if (!values.expect(JsonToken.START_OBJECT, "an object with weights")) {
      return weights;
    }
    boolean given = false;
    while (in.next() == JsonToken.PROPERTY_NAME) {
      String name = in.text();
      in.next();
      if (name.equals("weights")) {
        given = true;
        byClass(weights);
      } else {
        values.unknown("is no field here; nearest: weights");
      }
    }
    if (!given) {
      values.error("/weights", "required", "is missing");
    }
    return weights;
  }

  private void byClass(Map<String, Integer> weights) {
    if (!values.expect(JsonToken.START_OBJECT, "an object of weights by priority class")) {
      return;
    }
    while (in.next() == JsonToken.PROPERTY_NAME) {
      String priorityClass = in.text();
      in.next();
      Integer weight = values.integer();
      if (weight != null) {
        weights.put(priorityClass, weight);
      }
    }
  }

  private QueueChange change() {
    QueueChange change = QueueChange.NONE;
    if (!values.expect(JsonToken.START_OBJECT, "an object")) {
      return change;
    }
    boolean given = false;
    while (in.next() == JsonToken.PROPERTY_NAME) {
      String name = in.text();
      in.next();
      given = true;
      switch (name) {
        case "weight" -> change = change.withWeight(weight());
        case "aging" -> change = change.withAging(aging());
        case "highWatermark" -> change = change.withHighWatermark(highWatermark());
        case "lowWatermark" -> change = change.withLowWatermark(mark());
        case "highWatermarkMib" -> change = change.withHighMib(highWatermark());
        case "lowWatermarkMib" -> change = change.withLowMib(mark());
        default -> values.unknown("cannot be set; nearest: " + Nearest.to(name, FIELDS));
      }
    }
    if (!given) {
      values.error("", "required", "must have at least one of " + FIELDS);
    }
    return change;
  }

  private Setting<Integer> weight() {
    @Nullable Integer weight = isNull() ? null : values.integer();
    return Setting.to(weight);
  }

  private Setting<Duration> aging() {
    @Nullable Duration aging = isNull() ? null : values.duration();
    return Setting.to(aging);
  }

  private Setting<Long> highWatermark() {
    if (in.token() == JsonToken.VALUE_STRING) {
      if (in.text().equals(NO_MARK)) {
        return Setting.to(Watermarks.NO_MARK);
      }
      values.error(in.pointer(), "invalid", "must be a whole number, or " + NO_MARK);
      return Setting.keep();
    }
    Setting<Long> mark = mark();
    if (mark.equals(Setting.to(Watermarks.NO_MARK))) {
      values.error(in.pointer(), "invalid", "must be 2 or more, or " + NO_MARK + ", is 0");
    }
    return mark;
  }

  private Setting<Long> mark() {
    @Nullable Integer mark = isNull() ? null : values.integer();
    return Setting.to(mark == null ? null : (Long) mark.longValue());
  }

  private boolean isNull() {
    return in.token() == JsonToken.VALUE_NULL;
  }
}
