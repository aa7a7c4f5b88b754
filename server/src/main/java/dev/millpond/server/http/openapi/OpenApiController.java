package dev.millpond.server.http.openapi;

import dev.millpond.server.http.Answer;
import dev.millpond.server.http.Query;
import dev.millpond.server.http.access.NeedsNoKey;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import org.jspecify.annotations.Nullable;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/** Serves the description of the API. */
@RestController
public final class OpenApiController {
  private final byte[] yaml = OpenApiDocument.yaml();
  private volatile byte @Nullable [] json;

  /** As it is committed (RFC 9512). */
  @NeedsNoKey
  @GetMapping("/v1/openapi.yaml")
  public void yaml(HttpServletRequest request, HttpServletResponse response) throws IOException {
    Query.none(request);
    new Answer(200, "application/yaml", yaml).writeTo(response);
  }

  /** The same for tools that read JSON. */
  @NeedsNoKey
  @GetMapping("/v1/openapi.json")
  public void json(HttpServletRequest request, HttpServletResponse response) throws IOException {
    Query.none(request);
    byte[] text = json;
    if (text == null) {
      text = OpenApiDocument.json();
      json = text;
    }
    new Answer(200, "application/json", text).writeTo(response);
  }
}
