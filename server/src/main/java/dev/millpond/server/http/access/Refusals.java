package dev.millpond.server.http.access;

import dev.millpond.server.http.problem.Problem;
import dev.millpond.server.http.problem.ProblemException;

/** Answers to callers who may not. */
public final class Refusals {
  private Refusals() {}

  /** 401, with the header that says how a caller makes itself known (RFC 6750). */
  static Problem unauthorized(String slug, String detail) {
    return Problem.of(401, slug, detail).header("WWW-Authenticate", "Bearer");
  }

  /** 401 for a key that does not work. */
  static Problem wrongKey(String slug, String detail) {
    return Problem.of(401, slug, detail)
        .header("WWW-Authenticate", "Bearer error=\"invalid_token\"");
  }

  /** 404: the same whether there is none, or it is not there for this caller. */
  public static ProblemException noSuchQueue(String name) {
    return new ProblemException(
        Problem.of(404, "queue-not-found", "There is no queue " + name)
            .remedy("GET /v1/queues lists them; a queue comes with its first job or setting"));
  }
}
