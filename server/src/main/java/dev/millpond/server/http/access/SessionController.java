package dev.millpond.server.http.access;

import dev.millpond.engine.access.KeyRing;
import dev.millpond.engine.access.Sessions;
import dev.millpond.engine.access.Sessions.Begun;
import dev.millpond.server.config.Nearest;
import dev.millpond.server.http.Answer;
import dev.millpond.server.http.Places;
import dev.millpond.server.http.Query;
import dev.millpond.server.http.RequestBody;
import dev.millpond.server.http.json.FieldReader;
import dev.millpond.server.http.json.Json;
import dev.millpond.server.http.json.JsonReader;
import dev.millpond.server.http.problem.Problem;
import dev.millpond.server.http.problem.ProblemException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.springframework.web.bind.annotation.DeleteMapping;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RestController;
import tools.jackson.core.JsonToken;

/** Sessions of browsers: who is in one, and how it begins and ends. */
@RestController
public final class SessionController {
  private static final String PATH = "/v1/session";

  /** Of a body with a key. */
  private static final int BODY_BYTES = 1_024;

  /** Bodies that are read at a time: whoever sends them is not known. */
  private static final int BODIES = 50;

  /** Of them, those from one network: who sends none of what was announced holds few places. */
  private static final int BODIES_OF_NETWORK = 5;

  private final Callers callers;
  private final RequestBody body;
  private final Places bodies = new Places(BODIES, BODIES_OF_NETWORK);

  public SessionController(Callers callers, RequestBody body) {
    this.callers = callers;
    this.body = body;
  }

  /** Who calls, and what that caller may do. */
  @NeedsNoKey
  @GetMapping(PATH)
  public void show(HttpServletRequest request, HttpServletResponse response) throws IOException {
    Query.none(request);
    Caller caller = Caller.of(request);
    if (!caller.known()) {
      throw new ProblemException(
          Refusals.unauthorized("key-missing", "There is no session")
              .remedy("Begin one: POST " + PATH + " with a key"));
    }
    answer(caller, null, response);
  }

  /** Begins a session with a key, which is in the header or is the body's {@code key}. */
  @NeedsNoKey
  @PostMapping(PATH)
  public void begin(HttpServletRequest request, HttpServletResponse response) throws IOException {
    Query.none(request);
    KeyRing ring = callers.ring();
    if (ring == null) {
      answer(Caller.of(request), null, response);
      return;
    }
    Optional<String> text =
        request.getContentLengthLong() > 0 || request.getHeader("Transfer-Encoding") != null
            ? JsonReader.read(small(request), SessionController::key)
            : Optional.empty();
    Caller caller = text.isEmpty() ? Caller.of(request) : callers.check(request, text.get());
    if (caller.way() != Caller.Way.KEY || caller.key() == null) {
      throw new ProblemException(
          Refusals.unauthorized("key-missing", "A session begins with a key, and none came")
              .remedy("Send {\"key\":\"mp_…\"}, or Authorization: Bearer mp_…"));
    }
    caller
        .actor(callers.address(request))
        .bind(); // nobody until here, where the key is in the body
    Begun begun = ring.sessions().begin(caller.key());
    SessionCookie.set(request, response, begun.cookie(), Sessions.LIVES);
    answer(caller, begun.expiresAt(), response);
  }

  /** Ends the session of the cookie, if there is one. */
  @NeedsNoKey
  @DeleteMapping(PATH)
  public void end(HttpServletRequest request, HttpServletResponse response) throws IOException {
    Query.none(request);
    RequestBody.none(request);
    KeyRing ring = callers.ring();
    String cookie = SessionCookie.of(request);
    if (ring != null && cookie != null && Caller.of(request).way() == Caller.Way.COOKIE) {
      ring.sessions().end(cookie);
    }
    SessionCookie.clear(request, response);
    response.setStatus(204);
  }

  private byte[] small(HttpServletRequest request) throws IOException {
    String network = Guesses.network(callers.address(request));
    if (bodies.take(network) != Places.Answer.TAKEN) {
      throw new ProblemException(
          Problem.of(503, "server-busy", "Too many sessions are being begun")
              .remedy("Try again, or send the key in the header Authorization")
              .retryAfter(Duration.ofSeconds(1))
              .header("Connection", "close"));
    }
    try {
      return body.small(request, BODY_BYTES);
    } finally {
      bodies.leave(network);
    }
  }

  private static Optional<String> key(JsonReader in) {
    FieldReader values = new FieldReader(in);
    String key = null;
    if (values.expect(JsonToken.START_OBJECT, "an object")) {
      while (in.next() == JsonToken.PROPERTY_NAME) {
        String name = in.text();
        in.next();
        if (name.equals("key")) {
          key = values.string("a string");
        } else {
          values.unknown("is no field here; nearest: " + Nearest.to(name, List.of("key")));
        }
      }
    }
    values.throwIfAny();
    return Optional.ofNullable(key);
  }

  private void answer(Caller caller, @Nullable Instant expiresAt, HttpServletResponse response)
      throws IOException {
    Answer.json(
            200,
            out -> {
              out.writeStartObject();
              out.writeStringProperty("mode", callers.local() ? "none" : "keys");
              out.writeStringProperty("principal", caller.principal());
              Json.optional(out, "key", caller.key());
              out.writeArrayPropertyStart("scopes");
              caller.all().forEach(scope -> out.writeString(scope.word()));
              out.writeEndArray();
              if (!caller.queues().isEmpty()) {
                out.writeArrayPropertyStart("queues");
                caller.queues().stream().sorted().forEach(out::writeString);
                out.writeEndArray();
              }
              Json.optional(out, "expiresAt", expiresAt);
              out.writeEndObject();
            })
        .writeTo(response);
  }
}
