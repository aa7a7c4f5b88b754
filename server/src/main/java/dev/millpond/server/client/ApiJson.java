package dev.millpond.server.client;

import tools.jackson.core.JacksonException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.cfg.JsonNodeFeature;
import tools.jackson.databind.json.JsonMapper;

/** JSON of the API as a tree. Numbers stay as they are written: {@code 1.50} is not 1.5. */
public final class ApiJson {
  private static final JsonMapper MAPPER =
      JsonMapper.builder()
          .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .disable(JsonNodeFeature.STRIP_TRAILING_BIGDECIMAL_ZEROES)
          .build();

  private ApiJson() {}

  /**
   * Reads one JSON value.
   *
   * @throws JacksonException when the text is none, or has more behind it
   */
  public static JsonNode parse(String text) {
    JsonNode node = MAPPER.readTree(text);
    return node == null ? MAPPER.missingNode() : node;
  }

  /** The value as compact JSON. */
  public static String text(JsonNode node) {
    return MAPPER.writeValueAsString(node);
  }

  /** The value as JSON on lines of its own, for people. */
  public static String pretty(JsonNode node) {
    return MAPPER.writerWithDefaultPrettyPrinter().writeValueAsString(node);
  }
}
