package dev.millpond.server.client;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/**
 * An error as the server told it (RFC 9457). Its texts may repeat what came with the request or
 * with a job: whoever shows them neutralises them.
 *
 * @param slug names the kind of error: the end of {@code type}
 * @param remedy null where the detail says it
 * @param members all members, the further ones included
 */
public record ServerProblem(
    String slug,
    String title,
    String detail,
    @Nullable String remedy,
    List<FieldError> errors,
    JsonNode members) {
  private static final String TYPE = "/problems/";

  /**
   * One field that cannot be used.
   *
   * @param pointer JSON pointer into the request's body
   * @param index of the job in a batch, -1 outside of one
   */
  public record FieldError(String pointer, String detail, int index) {}

  /** The problem in a body; empty when the body is none of Millpond's. */
  static Optional<ServerProblem> parse(String body) {
    try {
      return of(ApiJson.parse(body));
    } catch (JacksonException e) {
      return Optional.empty();
    }
  }

  /** The problem that a JSON value is; empty when it is none. */
  public static Optional<ServerProblem> of(JsonNode node) {
    String type = node.path("type").asString("");
    if (!type.startsWith(TYPE)) {
      return Optional.empty();
    }
    List<FieldError> errors = new ArrayList<>();
    for (JsonNode error : node.path("errors")) {
      errors.add(
          new FieldError(
              error.path("pointer").asString(""),
              error.path("detail").asString(""),
              error.path("index").asInt(-1)));
    }
    return Optional.of(
        new ServerProblem(
            type.substring(TYPE.length()),
            node.path("title").asString(""),
            node.path("detail").asString(""),
            node.path("remedy").isString() ? node.path("remedy").asString() : null,
            errors,
            node));
  }
}
