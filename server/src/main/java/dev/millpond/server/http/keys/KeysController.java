package dev.millpond.server.http.keys;

import dev.millpond.engine.Millpond;
import dev.millpond.engine.access.ApiKey;
import dev.millpond.engine.access.Keys.Made;
import dev.millpond.engine.access.Scope;
import dev.millpond.server.http.Answer;
import dev.millpond.server.http.Query;
import dev.millpond.server.http.RequestBody;
import dev.millpond.server.http.access.Needs;
import dev.millpond.server.http.json.Json;
import dev.millpond.server.http.problem.Problem;
import dev.millpond.server.http.problem.ProblemException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.springframework.web.bind.annotation.DeleteMapping;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RestController;
import tools.jackson.core.JsonGenerator;

/** Lists, makes and revokes the keys of callers. */
@Needs(Scope.ADMIN)
@RestController
public final class KeysController {
  private static final String PATH = "/v1/keys";

  private final Millpond millpond;
  private final RequestBody body;

  public KeysController(Millpond millpond, RequestBody body) {
    this.millpond = millpond;
    this.body = body;
  }

  /** All keys, those that work first: their number is bounded, so there is one page. */
  @GetMapping(PATH)
  public void list(HttpServletRequest request, HttpServletResponse response) throws IOException {
    Query.none(request);
    List<ApiKey> keys = millpond.keys().list();
    Answer.json(
            200,
            out -> {
              out.writeStartObject();
              out.writeArrayPropertyStart("items");
              for (ApiKey key : keys) {
                out.writeStartObject();
                members(out, key);
                out.writeEndObject();
              }
              out.writeEndArray();
              out.writeBooleanProperty("partial", false);
              out.writeEndObject();
            })
        .writeTo(response);
  }

  /** Makes a key; the answer is the only place where its secret is. */
  @PostMapping(PATH)
  public void create(HttpServletRequest request, HttpServletResponse response) throws IOException {
    Query.none(request);
    Made made = millpond.keys().create(KeyReader.read(body.json(request)));
    response.setHeader("Location", PATH + '/' + made.key().prefix());
    Answer.json(
            201,
            out -> {
              out.writeStartObject();
              members(out, made.key());
              out.writeStringProperty("secret", made.text().reveal());
              out.writeEndObject();
            })
        .writeTo(response);
  }

  /** Ends a key, everywhere within a second; one that has ended stays as it is. */
  @DeleteMapping(PATH + "/{prefix}")
  public void revoke(
      @PathVariable("prefix") String prefix,
      HttpServletRequest request,
      HttpServletResponse response)
      throws IOException {
    Query.none(request);
    RequestBody.none(request);
    ApiKey key =
        (prefix.matches("[a-z0-9]{8}") ? millpond.keys().revoke(prefix) : noKey())
            .orElseThrow(() ->
                new ProblemException(
                    Problem.of(404, "key-not-found", "There is no key " + prefix)
                        .remedy("GET /v1/keys lists them; a key is named by its prefix alone")));
    Answer.json(
            200,
            out -> {
              out.writeStartObject();
              members(out, key);
              out.writeEndObject();
            })
        .writeTo(response);
  }

  private static Optional<ApiKey> noKey() {
    return Optional.empty();
  }

  private static void members(JsonGenerator out, ApiKey key) {
    out.writeStringProperty("prefix", key.prefix());
    out.writeStringProperty("name", key.name());
    out.writeArrayPropertyStart("scopes");
    key.scopes().stream().sorted().forEach(scope -> out.writeString(scope.word()));
    out.writeEndArray();
    if (!key.queues().isEmpty()) {
      out.writeArrayPropertyStart("queues");
      key.queues().stream().sorted().forEach(out::writeString);
      out.writeEndArray();
    }
    out.writeStringProperty("createdBy", key.createdBy());
    Json.optional(out, "createdAt", key.createdAt());
    Json.optional(out, "expiresAt", key.expiresAt());
    Json.optional(out, "revokedAt", key.revokedAt());
    Json.optional(out, "lastUsedAt", key.lastUsedAt());
  }
}
