package dev.millpond.engine.submit;

import dev.millpond.api.Backoff;
import dev.millpond.api.FatalJobException;
import dev.millpond.api.InvalidJobException;
import dev.millpond.api.JobOptions;
import dev.millpond.api.JobOptions.Expiry;
import dev.millpond.api.JobRequest.RawJson;
import dev.millpond.engine.trace.TraceParent;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectReader;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** JSON of payloads, results and stored options. Thread-safe. */
public final class JobJson {
  private static final String TRACE = "\"traceparent\":\"";
  private static final int DEPTH_MAX = 64;

  private static final JsonMapper MAPPER =
      JsonMapper.builder(
              JsonFactory.builder()
                  .streamReadConstraints(
                      StreamReadConstraints.builder().maxNestingDepth(DEPTH_MAX).build())
                  .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                  .build())
          .build();

  /** Reads what was validated when it was stored. */
  private static final JsonMapper STORED = JsonMapper.builder().build();

  private static final ClassValue<ObjectReader> READERS =
      new ClassValue<>() {
        @Override
        protected ObjectReader computeValue(Class<?> type) {
          return STORED.readerFor(type);
        }
      };

  private JobJson() {}

  /**
   * The payload as JSON text.
   *
   * @param most bytes of it
   */
  public static String payload(@Nullable Object payload, int most) {
    String text;
    try {
      if (payload instanceof CheckedJson checked) {
        text = checked.text();
      } else if (payload instanceof RawJson raw) {
        text = valid(raw.text(), true);
      } else {
        text = MAPPER.writeValueAsString(payload);
        if (JsonbRules.suspect(text)) {
          text = valid(text, true);
        }
      }
    } catch (JacksonException e) {
      throw new InvalidJobException("/payload", "cannot be written as JSON: " + message(e));
    }
    if (tooLong(text, most)) {
      throw new InvalidJobException(
          "/payload",
          "must be at most " + most + " bytes, is " + text.getBytes(StandardCharsets.UTF_8).length);
    }
    return text;
  }

  /**
   * The text, if it is one JSON value.
   *
   * @param forJsonb whether it must keep {@link JsonbRules} as well
   */
  private static String valid(String text, boolean forJsonb) {
    boolean escapes = forJsonb && text.indexOf("\\u") >= 0;
    try (JsonParser parser = MAPPER.createParser(text)) {
      JsonToken token = parser.nextToken();
      if (token == null) {
        throw new InvalidJobException("/payload", "is empty");
      }
      int depth = 0;
      while (true) {
        depth += token.isStructStart() ? 1 : token.isStructEnd() ? -1 : 0;
        if (forJsonb) {
          JsonbRules.check(parser, token, escapes);
        }
        if (depth == 0) {
          break;
        }
        token = parser.nextToken();
      }
      if (parser.nextToken() != null) {
        throw new InvalidJobException("/payload", "has more after its JSON value");
      }
    }
    return text;
  }

  /** Whether the text is longer than this in UTF-8, without encoding what is clearly short. */
  private static boolean tooLong(String text, int bytes) {
    return text.length() > bytes
        || (text.length() > bytes / 3 && text.getBytes(StandardCharsets.UTF_8).length > bytes);
  }

  /**
   * Reads a payload.
   *
   * @throws JacksonException when it does not fit the type
   */
  public static <P> P read(String payload, Class<P> type) {
    return READERS.get(type).readValue(payload);
  }

  /**
   * Reads a payload for its handler.
   *
   * @throws FatalJobException when it does not fit the type: no further attempt can help
   */
  public static <P> P payload(String payload, Class<P> type) {
    try {
      return read(payload, type);
    } catch (JacksonException e) {
      throw new FatalJobException(
          "the payload does not fit " + type.getName() + ": " + e.getOriginalMessage(), e);
    }
  }

  /**
   * A handler's result as JSON text; null for null.
   *
   * @param most bytes of it
   * @throws IllegalArgumentException when it cannot be written or is too long
   */
  public static @Nullable String result(@Nullable Object result, int most) {
    if (result == null) {
      return null;
    }
    String text;
    try {
      text =
          result instanceof RawJson raw
              ? valid(raw.text(), false)
              : MAPPER.writeValueAsString(result);
    } catch (JacksonException | InvalidJobException e) {
      throw new IllegalArgumentException(
          "the result cannot be written as JSON: " + e.getMessage(), e);
    }
    if (tooLong(text, most)) {
      throw new IllegalArgumentException("the result is longer than " + most + " bytes as JSON");
    }
    return text;
  }

  /**
   * What of the options is stored; null when all are defaults. The key is stored elsewhere, an
   * expiry only as an instant.
   */
  public static @Nullable String options(JobOptions options) {
    if (options.equals(JobOptions.DEFAULT)) {
      return null;
    }
    ObjectNode json = MAPPER.createObjectNode();
    if (options.maxAttempts() != null) {
      json.put("maxAttempts", options.maxAttempts());
    }
    Backoff backoff = options.backoff();
    if (backoff != null) {
      ObjectNode object = json.putObject("backoff");
      object.put("base", backoff.base().toString());
      object.put("max", backoff.max().toString());
    }
    put(json, "softTimeout", options.softTimeout());
    put(json, "hardTimeout", options.hardTimeout());
    if (!options.tags().isEmpty()) {
      ArrayNode tags = json.putArray("tags");
      options.tags().forEach(tags::add);
    }
    if (!options.keepResult()) {
      json.put("keepResult", false);
    }
    put(json, "resultTtl", options.resultTtl());
    if (options.expiry() instanceof Expiry.At at) {
      json.put("expiresAt", at.expiresAt().toString());
    }
    if (options.webhook() != null) {
      json.put("webhook", options.webhook().toString());
    }
    return json.isEmpty() ? null : json.toString();
  }

  private static void put(ObjectNode json, String name, @Nullable Duration value) {
    if (value != null) {
      json.put(name, value.toString());
    }
  }

  /**
   * The stored options with the trace of the job.
   *
   * @param traceparent of the form of {@link TraceParent}, so nothing of it needs an escape
   */
  public static String withTrace(@Nullable String stored, String traceparent) {
    String field = TRACE + traceparent + "\"}";
    return stored == null ? "{" + field : stored.substring(0, stored.length() - 1) + "," + field;
  }

  /** The trace that is stored with the options; null for none. */
  public static @Nullable String trace(@Nullable String stored) {
    int at = stored == null ? -1 : stored.lastIndexOf(TRACE); // in a text its quotes are escaped
    if (stored == null || at < 0) {
      return null;
    }
    int from = at + TRACE.length();
    int to = stored.indexOf('"', from);
    return to < 0 ? null : TraceParent.sampled(stored.substring(from, to));
  }

  /** Reads what {@link #options(JobOptions)} stored. */
  public static JobOptions options(@Nullable String stored) {
    if (stored == null) {
      return JobOptions.DEFAULT;
    }
    JsonNode json = MAPPER.readTree(stored);
    JsonNode backoff = json.get("backoff");
    List<String> tags = new ArrayList<>();
    JsonNode tagNodes = json.get("tags");
    if (tagNodes != null) {
      tagNodes.forEach(tag -> tags.add(tag.asString()));
    }
    JsonNode attempts = json.get("maxAttempts");
    return new JobOptions(
        attempts == null ? null : attempts.asInt(),
        backoff == null
            ? null
            : new Backoff(
                Duration.parse(backoff.get("base").asString()),
                Duration.parse(backoff.get("max").asString())),
        duration(json.get("softTimeout")),
        duration(json.get("hardTimeout")),
        tags,
        json.get("keepResult") == null || json.get("keepResult").asBoolean(),
        null,
        expiry(json.get("expiresAt")),
        duration(json.get("resultTtl")),
        webhook(json.get("webhook")));
  }

  private static @Nullable Expiry expiry(@Nullable JsonNode node) {
    return node == null ? null : new Expiry.At(Instant.parse(node.asString()));
  }

  private static @Nullable URI webhook(@Nullable JsonNode node) {
    return node == null ? null : URI.create(node.asString());
  }

  private static @Nullable Duration duration(@Nullable JsonNode node) {
    return node == null ? null : Duration.parse(node.asString());
  }

  private static String message(JacksonException e) {
    return e.getOriginalMessage();
  }
}
