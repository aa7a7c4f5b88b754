package dev.millpond.server.support;

import static org.assertj.core.api.Assertions.assertThat;

import com.networknt.schema.Error;
import com.networknt.schema.InputFormat;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaLocation;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import dev.millpond.server.http.openapi.OpenApiDocument;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Whether requests and answers are as the OpenAPI document has them. Each answer that {@link
 * LiveServer} gets is looked at, so the document cannot drift from what the server says.
 */
public final class ApiContract {
  private static final String ID = "https://millpond.dev/openapi.json";
  private static final JsonNode DOCUMENT =
      JsonMapper.builder().build().readTree(OpenApiDocument.json());
  private static final SchemaRegistry SCHEMAS =
      SchemaRegistry.withDefaultDialect(
          SpecificationVersion.DRAFT_2020_12,
          registry -> registry.schemas(Map.of(ID, DOCUMENT.toString())));

  private ApiContract() {}

  /** The document. */
  public static JsonNode document() {
    return DOCUMENT;
  }

  /**
   * Fails where an answer, or the body of a request that was taken, is not as the document has it.
   *
   * @param sent the request's body if it is JSON; null for none, or another type
   */
  public static void check(HttpResponse<String> response, @Nullable String sent) {
    String verb = response.request().method().toLowerCase(Locale.ROOT);
    String path = response.uri().getPath();
    if (path.equals("/") || path.startsWith("/ui")) {
      return; // pages
    }
    String called = verb + " " + path + " " + response.statusCode();
    Optional<String> operation = operation(verb, path);
    if (operation.isEmpty()) {
      assertThat(response.statusCode()).as("%s is not in the document", called).isBetween(400, 499);
      return;
    }
    String status = Integer.toString(response.statusCode());
    String answers = operation.get() + "/responses";
    String answer = answers + (at(answers).has(status) ? "/" + status : "/default");
    assertThat(at(answer).isMissingNode()).as("%s has no such answer", called).isFalse();
    content(called, resolved(answer), response);
    if (sent != null && response.statusCode() / 100 == 2) {
      String schema =
          resolved(operation.get() + "/requestBody") + "/content/application~1json/schema";
      assertThat(at(schema).isMissingNode()).as("%s takes JSON", called).isFalse();
      assertValid(called + ", as it was asked", schema, sent);
    }
  }

  private static void content(String called, String answer, HttpResponse<String> response) {
    String type = response.headers().firstValue("Content-Type").orElse("").replaceAll(";.*", "");
    if (type.isEmpty()) {
      return;
    }
    String content = answer + "/content/" + type.replace("/", "~1");
    assertThat(at(content).isMissingNode()).as("%s answers with %s", called, type).isFalse();
    if (!at(content).has("schema")) {
      return;
    }
    if (type.endsWith("ndjson")) {
      response.body().lines().forEach(line -> assertValid(called, content + "/schema", line));
    } else {
      assertValid(called, content + "/schema", response.body());
    }
  }

  private static void assertValid(String what, String pointer, String json) {
    Schema schema = SCHEMAS.getSchema(SchemaLocation.of(ID + "#" + pointer));
    List<Error> errors = schema.validate(json, InputFormat.JSON);
    assertThat(errors).as("%s: %s", what, json).isEmpty();
  }

  /** The pointer of an operation, by the most literal path. */
  private static Optional<String> operation(String verb, String path) {
    return DOCUMENT
        .get("paths")
        .propertyStream()
        .filter(each -> each.getValue().has(verb) && matches(each.getKey(), path))
        .map(Map.Entry::getKey)
        .min((a, b) -> Long.compare(variables(a), variables(b)))
        .map(template -> "/paths/" + template.replace("/", "~1") + "/" + verb);
  }

  private static boolean matches(String template, String path) {
    String regex =
        Pattern.compile("\\{\\w+}")
            .splitAsStream(template)
            .map(Pattern::quote)
            .reduce((a, b) -> a + "[^/]+" + b)
            .orElse("");
    return path.matches(template.endsWith("}") ? regex + "[^/]+" : regex);
  }

  private static long variables(String template) {
    return template.chars().filter(c -> c == '{').count();
  }

  private static JsonNode at(String pointer) {
    return DOCUMENT.at(pointer);
  }

  /** Follows references. */
  private static String resolved(String pointer) {
    JsonNode reference = at(pointer).path("$ref");
    return reference.isMissingNode() ? pointer : resolved(reference.asString().substring(1));
  }

  /** All references of the document that lead nowhere. */
  public static List<String> danglingReferences() {
    return DOCUMENT.findValues("$ref").stream()
        .map(JsonNode::asString)
        .filter(reference -> at(reference.substring(1)).isMissingNode())
        .distinct()
        .toList();
  }

  /** As text, for comparison with what is served. */
  public static String yaml() {
    return new String(OpenApiDocument.yaml(), StandardCharsets.UTF_8);
  }
}
