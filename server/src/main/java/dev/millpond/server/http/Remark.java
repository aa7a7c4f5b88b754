package dev.millpond.server.http;

import dev.millpond.server.config.Nearest;
import dev.millpond.server.http.access.Caller;
import dev.millpond.server.http.json.FieldReader;
import dev.millpond.server.http.json.JsonReader;
import jakarta.servlet.http.HttpServletRequest;
import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonToken;

/**
 * Who asks for something and why, as said in a body that may be left out: {@code
 * {"by":"ann","reason":"its host is replaced"}}. A caller with a key is known: whoever it says it
 * is, the key's name counts.
 */
public record Remark(@Nullable String by, @Nullable String reason) {
  private static final Remark NONE = new Remark(null, null);
  private static final List<String> FIELDS = List.of("by", "reason");

  /**
   * Reads it.
   *
   * @throws dev.millpond.server.http.problem.ProblemException as {@link RequestBody#json}, and 400
   *     when the body is no JSON, 422 when a field cannot be used
   */
  public static Remark read(HttpServletRequest request, RequestBody body) throws IOException {
    Remark said =
        request.getContentLengthLong() <= 0 && request.getHeader("Transfer-Encoding") == null
            ? NONE
            : JsonReader.read(body.json(request), Remark::read);
    Caller caller = Caller.of(request);
    return caller.named() ? new Remark(caller.principal(), said.reason()) : said;
  }

  private static Remark read(JsonReader in) {
    FieldReader values = new FieldReader(in);
    String by = null;
    String reason = null;
    if (values.expect(JsonToken.START_OBJECT, "an object")) {
      while (in.next() == JsonToken.PROPERTY_NAME) {
        String name = in.text();
        in.next();
        switch (name) {
          case "by" -> by = values.string("a string");
          case "reason" -> reason = values.string("a string");
          default -> values.unknown("is no field here; nearest: " + Nearest.to(name, FIELDS));
        }
      }
    }
    values.throwIfAny();
    return new Remark(by, reason);
  }
}
