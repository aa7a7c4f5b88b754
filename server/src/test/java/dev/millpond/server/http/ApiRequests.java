package dev.millpond.server.http;

import dev.millpond.server.support.ApiContract;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * Requests for each operation of the OpenAPI document, made from its schemas: one with what is
 * needed, and one for each thing that may be there besides. What a schema does not say, such as
 * which ids there are, is left in braces: see {@link #PLACEHOLDERS}.
 */
final class ApiRequests {
  /** What stands in braces: a job, one that is dead, a worker, the prefix of a key. */
  static final List<String> PLACEHOLDERS = List.of("scheduled", "dead", "worker", "prefix");

  private static final List<String> VERBS = List.of("get", "put", "post", "patch", "delete");
  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final JsonNodeFactory NODES = JsonNodeFactory.instance;
  private static final String REFERENCE = "#/components/";
  private static final Pattern VARIABLE = Pattern.compile("\\{(\\w+)}");

  /** Variables of paths, by the path's beginning and their name; the first one that fits. */
  private static final Map<String, String> VARIABLES =
      Map.of(
          "/v1/jobs/{id}", "{scheduled}",
          "/v1/dead-letters/{jobId}", "{dead}",
          "/v1/workers/{id}", "{worker}",
          "/v1/keys/{prefix}", "{prefix}",
          "/v1/queues/{name}", "fuzz",
          "/v1/kinds/{name}", "doomed",
          "/v1/tags/{name}", "t");

  /** Parameters whose schema says too little. */
  private static final Map<String, String> PARAMETERS =
      Map.of(
          "state", "scheduled,dead",
          "payload", "$.x ? (@ > 1)",
          "error", "no good",
          "If-Match", "\"0\"",
          "Last-Event-ID", "1",
          "action", "queues.pause");

  /** Schemas of texts. */
  private static final Map<String, String> TEXTS =
      Map.of("Duration", "PT1H", "Name", "fuzz", "Id", "{scheduled}");

  /**
   * A request.
   *
   * @param operation verb and path as the document has them
   * @param target path and query
   * @param headers each with its end of line; without Host
   * @param body empty for none
   */
  record ApiRequest(String operation, String target, String headers, String body) {
    String verb() {
      return operation.substring(0, operation.indexOf(' '));
    }
  }

  private final List<ApiRequest> requests = new ArrayList<>();

  private ApiRequests() {}

  /** Verb and path of all operations. */
  static List<String> operations() {
    List<String> operations = new ArrayList<>();
    ApiContract.document()
        .get("paths")
        .forEachEntry((path, item) ->
            VERBS.stream()
                .filter(item::has)
                .forEach(verb -> operations.add(verb.toUpperCase(Locale.ROOT) + " " + path)));
    return operations;
  }

  /** Those of all operations. */
  static List<ApiRequest> all() {
    ApiRequests all = new ApiRequests();
    operations().forEach(all::add);
    return all.requests;
  }

  private void add(String operation) {
    String path = operation.substring(operation.indexOf(' ') + 1);
    JsonNode item = ApiContract.document().get("paths").get(path);
    JsonNode own =
        item.get(operation.substring(0, operation.indexOf(' ')).toLowerCase(Locale.ROOT));
    String target = filled(path);
    JsonNode body = resolved(own.path("requestBody"));
    boolean needed = body.path("required").asBoolean(false);
    if (!needed) {
      requests.add(new ApiRequest(operation, target, "", ""));
    }
    String type = "";
    String first = "";
    if (!body.isMissingNode()) {
      for (Map.Entry<String, JsonNode> content : body.get("content").properties()) {
        for (String sample : bodies(content.getValue().get("schema"))) {
          String text = content.getKey().endsWith("ndjson") ? sample + "\n" + sample : sample;
          String header = "Content-Type: " + content.getKey() + "\n";
          requests.add(new ApiRequest(operation, target, header, text));
          type = needed ? header : "";
          first = needed ? text : "";
        }
      }
    }
    for (JsonNode each : own.path("parameters")) {
      JsonNode parameter = resolved(each);
      String name = parameter.get("name").asString();
      String value = PARAMETERS.get(name);
      if (value == null) {
        value = sample(parameter.get("schema"), false).asString("x");
      }
      boolean query = parameter.get("in").asString().equals("query");
      String more =
          query ? "?" + name + "=" + URLEncoder.encode(value, StandardCharsets.UTF_8) : "";
      String header = query ? "" : name + ": " + value + "\n";
      requests.add(new ApiRequest(operation, target + more, type + header, first));
    }
  }

  private static String filled(String path) {
    Matcher variable = VARIABLE.matcher(path);
    if (!variable.find()) {
      return path;
    }
    String value = VARIABLES.get(path.substring(0, variable.end()));
    if (value == null) {
      throw new AssertionError("No value for " + variable.group() + " of " + path);
    }
    return path.substring(0, variable.start()) + value + path.substring(variable.end());
  }

  /** With what is needed, and with each that is not. */
  private static List<String> bodies(JsonNode unresolved) {
    JsonNode schema = resolved(unresolved);
    List<String> bodies = new ArrayList<>();
    for (JsonNode option :
        schema.has("oneOf") ? schema.get("oneOf") : NODES.arrayNode().add(schema)) {
      JsonNode least = sample(option, false);
      bodies.add(least.toString());
      if (least instanceof ObjectNode object) {
        resolved(option)
            .path("properties")
            .forEachEntry((name, property) -> {
              ObjectNode more = object.deepCopy();
              more.set(name, sample(property, true));
              bodies.add(more.toString());
            });
      }
    }
    return bodies;
  }

  /**
   * A value as a schema has it.
   *
   * @param whole whether objects have all they may have
   */
  private static JsonNode sample(JsonNode unresolved, boolean whole) {
    String name = reference(unresolved);
    if (name != null && TEXTS.containsKey(name)) {
      return NODES.stringNode(TEXTS.get(name));
    }
    JsonNode schema = resolved(unresolved);
    for (String fixed : List.of("const", "default")) {
      if (schema.has(fixed)) {
        return schema.get(fixed);
      }
    }
    for (String choice : List.of("enum", "oneOf", "anyOf")) {
      if (schema.has(choice)) {
        JsonNode first = schema.get(choice).get(0);
        return choice.equals("enum") ? first : sample(first, whole);
      }
    }
    JsonNode type = schema.path("type");
    return switch (type.isArray() ? type.get(0).asString() : type.asString("")) {
      case "object" -> object(schema, whole);
      case "array" -> array(schema, whole);
      case "integer", "number" -> NODES.numberNode(schema.path("minimum").asInt(1));
      case "boolean" -> NODES.booleanNode(true);
      case "string" -> NODES.stringNode(text(schema));
      default -> JSON.readTree("{\"x\":[1,2.5e3,\"é\",null]}"); // any JSON
    };
  }

  private static ObjectNode object(JsonNode schema, boolean whole) {
    ObjectNode object = NODES.objectNode();
    List<String> required = new ArrayList<>();
    schema.path("required").forEach(each -> required.add(each.asString()));
    schema
        .path("properties")
        .forEachEntry((name, property) -> {
          if (whole || required.contains(name)) {
            object.set(name, sample(property, whole));
          }
        });
    if (schema.path("additionalProperties").isObject()) {
      object.set("normal", sample(schema.get("additionalProperties"), whole));
    }
    return object;
  }

  private static ArrayNode array(JsonNode schema, boolean whole) {
    return NODES.arrayNode().add(sample(schema.get("items"), whole));
  }

  private static String text(JsonNode schema) {
    return switch (schema.path("format").asString("")) {
      case "date-time" -> "2027-01-31T08:30:00Z";
      case "uri" -> "https://example.com/hook";
      default -> "x";
    };
  }

  private static @Nullable String reference(JsonNode schema) {
    String reference = schema.path("$ref").asString("");
    return reference.startsWith(REFERENCE) ? reference.replaceAll(".*/", "") : null;
  }

  private static JsonNode resolved(JsonNode schema) {
    String reference = schema.path("$ref").asString("");
    return reference.isEmpty()
        ? schema
        : resolved(ApiContract.document().at(reference.substring(1)));
  }
}
