package dev.millpond.server.http.jobs;

import dev.millpond.api.Limits;
import dev.millpond.engine.submit.JobRules;
import dev.millpond.server.http.problem.Problem;
import dev.millpond.server.http.problem.ProblemException;
import jakarta.servlet.http.HttpServletRequest;
import java.util.Collections;
import java.util.Optional;

/** The headers of idempotency. */
final class KeyHeader {
  static final String NAME = "Idempotency-Key";
  static final String REPLAYED = "Idempotency-Replayed";

  private KeyHeader() {}

  /**
   * The key of a request as a whole; empty when it has none.
   *
   * @throws ProblemException 400 for one that cannot be used
   */
  static Optional<String> of(HttpServletRequest request) {
    return of(request, Limits.IDEMPOTENCY_KEY_CHARS);
  }

  /** Like {@link #of(HttpServletRequest)}, with fewer characters. */
  static Optional<String> of(HttpServletRequest request, int most) {
    String key = request.getHeader(NAME);
    if (key == null) {
      return Optional.empty();
    }
    int given = Collections.list(request.getHeaders(NAME)).size();
    if (given > 1) {
      throw refuse("is given " + given + " times", "Give it once");
    }
    if (key.length() > most || !JobRules.isKey(key)) {
      throw refuse(
          "must have 1 to " + most + " printable ASCII characters, has " + key.length(),
          "Make a key for each request, such as a random UUID, and send it again with a repeat");
    }
    return Optional.of(key);
  }

  private static ProblemException refuse(String detail, String remedy) {
    return new ProblemException(
        Problem.of(400, "invalid-header", NAME + " " + detail).remedy(remedy));
  }
}
