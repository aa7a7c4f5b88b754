package dev.millpond.server.http.problem;

import dev.millpond.server.http.Answer;
import dev.millpond.server.http.json.Json;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * An error as the caller sees it, after RFC 9457: {@code type} is {@code /problems/<slug>}.
 *
 * @param status HTTP status
 * @param slug names the kind of error, stable
 * @param detail what is wrong with this request, with the values
 * @param remedy what to do about it; null where the detail says it
 * @param errors the fields of a 422
 * @param members further members, by name
 * @param headers further headers, by name
 */
public record Problem(
    int status,
    String slug,
    String detail,
    @Nullable String remedy,
    List<FieldError> errors,
    Map<String, Object> members,
    Map<String, String> headers) {

  public static final String CONTENT_TYPE = "application/problem+json";

  /** Longest text repeated from a request. */
  private static final int ECHO_CHARS = 1_000;

  /**
   * One field that is out of its range.
   *
   * @param pointer JSON pointer into the request's body
   * @param code names the kind of error, stable
   * @param detail what was expected and what came
   * @param index of the job in a batch, -1 outside of one
   */
  public record FieldError(String pointer, String code, String detail, int index) {}

  public static Problem of(int status, String slug, String detail) {
    return new Problem(status, slug, cut(detail), null, List.of(), Map.of(), Map.of());
  }

  /** 422: the body is JSON, but some of its fields cannot be used. */
  public static Problem fields(List<FieldError> errors) {
    return new Problem(
        422,
        "invalid-fields",
        errors.size() == 1 ? "1 field cannot be used" : errors.size() + " fields cannot be used",
        null,
        List.copyOf(errors),
        Map.of(),
        Map.of());
  }

  public Problem remedy(String text) {
    return new Problem(status, slug, detail, text, errors, members, headers);
  }

  /** Adds a member; numbers and booleans stay what they are, the rest becomes text. */
  public Problem with(String name, Object value) {
    Map<String, Object> more = new LinkedHashMap<>(members);
    more.put(name, value);
    return new Problem(status, slug, detail, remedy, errors, more, headers);
  }

  public Problem header(String name, String value) {
    Map<String, String> more = new LinkedHashMap<>(headers);
    more.put(name, value);
    return new Problem(status, slug, detail, remedy, errors, members, more);
  }

  /** Says when to try again, in whole seconds, at least one. */
  public Problem retryAfter(Duration wait) {
    long seconds = Math.max(1, wait.plusMillis(999).toSeconds());
    return header("Retry-After", Long.toString(seconds));
  }

  /** The title: the slug in words. */
  String title() {
    String words = slug.replace('-', ' ');
    return Character.toUpperCase(words.charAt(0)) + words.substring(1);
  }

  public byte[] body() {
    return Json.write(out -> {
      out.writeStartObject();
      out.writeStringProperty("type", "/problems/" + slug);
      out.writeStringProperty("title", title());
      out.writeNumberProperty("status", status);
      out.writeStringProperty("detail", detail);
      Json.optional(out, "remedy", remedy);
      members.forEach((name, value) -> {
        if (value instanceof Long number) {
          out.writeNumberProperty(name, number);
        } else {
          Json.optional(out, name, value);
        }
      });
      if (!errors.isEmpty()) {
        out.writeArrayPropertyStart("errors");
        for (FieldError error : errors) {
          out.writeStartObject();
          out.writeStringProperty("pointer", error.pointer());
          out.writeStringProperty("code", error.code());
          out.writeStringProperty("detail", cut(error.detail()));
          if (error.index() >= 0) {
            out.writeNumberProperty("index", error.index());
          }
          out.writeEndObject();
        }
        out.writeEndArray();
      }
      out.writeEndObject();
    });
  }

  public void writeTo(HttpServletResponse response) throws IOException {
    if (response.isCommitted()) {
      return;
    }
    response.resetBuffer();
    headers.forEach(response::setHeader);
    new Answer(status, CONTENT_TYPE, body()).writeTo(response);
  }

  /** The errors of several fields, collected up to a limit. */
  public static final class Collector {
    private static final int MOST = 100;
    private final List<FieldError> errors = new ArrayList<>();

    public void add(FieldError error) {
      if (errors.size() < MOST) {
        errors.add(error);
      }
    }

    public void throwIfAny() {
      if (!errors.isEmpty()) {
        throw new ProblemException(fields(errors));
      }
    }
  }

  private static String cut(String text) {
    return text.length() <= ECHO_CHARS ? text : text.substring(0, ECHO_CHARS) + "…";
  }
}
