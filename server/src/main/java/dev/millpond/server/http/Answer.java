package dev.millpond.server.http;

import dev.millpond.engine.query.Page;
import dev.millpond.server.http.json.Json;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.function.BiConsumer;
import tools.jackson.core.JsonGenerator;

/** A whole answer, written in one piece. Headers beside the type are set on the response before. */
public final class Answer {
  private final int status;
  private final String contentType;
  private final byte[] body;

  /**
   * Keeps the body as it is given, without a copy.
   *
   * @param body may be empty
   */
  public Answer(int status, String contentType, byte[] body) {
    this.status = status;
    this.contentType = contentType;
    this.body = body;
  }

  /** A JSON answer. */
  public static Answer json(int status, Json.Body body) {
    return new Answer(status, "application/json", Json.write(body));
  }

  /** A page of a list, each item by its writer. */
  public static <T> Answer page(Page<T> page, BiConsumer<JsonGenerator, T> item) {
    return json(
        200,
        out -> {
          out.writeStartObject();
          out.writeArrayPropertyStart("items");
          page.items().forEach(each -> item.accept(out, each));
          out.writeEndArray();
          Json.optional(out, "nextCursor", page.nextCursor());
          out.writeBooleanProperty("partial", page.partial());
          out.writeEndObject();
        });
  }

  /**
   * Sends it.
   *
   * @throws dev.millpond.server.http.problem.ProblemException 503 when there is no room for a large
   *     one
   */
  public void writeTo(HttpServletResponse response) throws IOException {
    int room = AnswerRoom.HERE.take(body.length);
    try {
      response.setStatus(status);
      response.setContentType(contentType);
      response.setContentLength(body.length);
      response.getOutputStream().write(body);
    } finally {
      AnswerRoom.HERE.release(room);
    }
  }
}
