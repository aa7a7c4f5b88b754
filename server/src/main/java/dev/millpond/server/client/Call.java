package dev.millpond.server.client;

import java.net.URLEncoder;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * A request to the API. Immutable.
 *
 * @param safe whether it can be repeated: it changes nothing, or the same key changes nothing more
 * @param path with its query, encoded
 * @param type of the body; null without one
 * @param idempotencyKey null for none
 */
public record Call(
    String verb,
    boolean safe,
    String path,
    BodyPublisher body,
    @Nullable String type,
    @Nullable String idempotencyKey) {
  private static final String JSON = "application/json";

  public static Call get(String path) {
    return new Call("GET", true, path, BodyPublishers.noBody(), null, null);
  }

  /** A request without a body that changes something. */
  public static Call post(String path) {
    return new Call("POST", false, path, BodyPublishers.noBody(), null, null);
  }

  public static Call post(String path, String json) {
    return new Call("POST", false, path, BodyPublishers.ofString(json), JSON, null);
  }

  public static Call patch(String path, String json) {
    return new Call("PATCH", false, path, BodyPublishers.ofString(json), JSON, null);
  }

  public static Call put(String path, String json) {
    return new Call("PUT", false, path, BodyPublishers.ofString(json), JSON, null);
  }

  public static Call delete(String path) {
    return new Call("DELETE", false, path, BodyPublishers.noBody(), null, null);
  }

  /** A body of another type. */
  public static Call post(String path, BodyPublisher body, String type) {
    return new Call("POST", false, path, body, type, null);
  }

  /** With a key, a submit may be repeated: null for none. */
  public Call withIdempotencyKey(@Nullable String key) {
    return new Call(verb, safe || key != null, path, body, type, key);
  }

  /** A path's part, such as an id: whatever it holds, it stays one part. */
  public static String part(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
  }

  /** The query of a path, built parameter by parameter. Not thread-safe. */
  public static final class Query {
    private final StringBuilder text = new StringBuilder();

    /** Adds a parameter, unless its value is null. */
    public Query with(String name, @Nullable Object value) {
      if (value != null) {
        text.append(text.isEmpty() ? '?' : '&')
            .append(name)
            .append('=')
            .append(part(value.toString()));
      }
      return this;
    }

    /** {@code ?a=b&c=d}, or nothing. */
    @Override
    public String toString() {
      return text.toString();
    }
  }
}
