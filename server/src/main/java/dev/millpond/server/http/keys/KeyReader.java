package dev.millpond.server.http.keys;

import dev.millpond.engine.access.KeyRequest;
import dev.millpond.engine.access.Scope;
import dev.millpond.server.config.Nearest;
import dev.millpond.server.http.json.FieldReader;
import dev.millpond.server.http.json.JsonReader;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonToken;

/** Reads what key is asked for. Checks the shape; the engine checks the values. Not thread-safe. */
final class KeyReader {
  private static final List<String> FIELDS = List.of("name", "scopes", "queues", "expiresIn");

  private final JsonReader in;
  private final FieldReader values;
  private String name = "";
  private final Set<Scope> scopes = new HashSet<>();
  private final Set<String> queues = new HashSet<>();
  private @Nullable Duration expiresIn;

  private KeyReader(JsonReader in) {
    this.in = in;
    this.values = new FieldReader(in);
  }

  /**
   * Reads {@code {"name":…,"scopes":[…],"queues":[…],"expiresIn":…}}.
   *
   * @throws dev.millpond.server.http.problem.ProblemException 400 when the body is no JSON, 422
   *     when a field cannot be used
   */
  static KeyRequest read(byte[] body) {
    return JsonReader.read(body, in -> new KeyReader(in).read());
  }

  private KeyRequest read() {
    if (values.expect(JsonToken.START_OBJECT, "an object")) {
      while (in.next() == JsonToken.PROPERTY_NAME) {
        String field = in.text();
        in.next();
        switch (field) {
          case "name" -> {
            String given = values.string("a string");
            name = given == null ? "" : given;
          }
          case "scopes" -> scopes();
          case "queues" -> queues();
          case "expiresIn" -> expiresIn = values.duration();
          default -> values.unknown("is no field of a key; nearest: " + Nearest.to(field, FIELDS));
        }
      }
    }
    values.throwIfAny();
    return new KeyRequest(name, scopes, queues, expiresIn);
  }

  private void scopes() {
    if (!values.expect(JsonToken.START_ARRAY, "a list of scopes")) {
      return;
    }
    while (in.next() != JsonToken.END_ARRAY) {
      String word = values.string("a scope");
      if (word == null) {
        continue;
      }
      Optional<Scope> scope = Scope.of(word);
      scope.ifPresent(scopes::add);
      if (scope.isEmpty()) {
        values.error(
            in.pointer(), "invalid", "is no scope; nearest: " + Nearest.to(word, Scope.words()));
      }
    }
  }

  private void queues() {
    if (!values.expect(JsonToken.START_ARRAY, "a list of queues")) {
      return;
    }
    while (in.next() != JsonToken.END_ARRAY) {
      String queue = values.string("the name of a queue");
      if (queue != null && queues.size() <= KeyRequest.QUEUES_MAX) {
        queues.add(queue);
      }
    }
  }
}
