package dev.millpond.server.client;

import java.net.URI;
import java.time.Instant;
import tools.jackson.databind.JsonNode;

/** How a call to the server went. */
public sealed interface Reply {
  /**
   * The server did it, or shows it.
   *
   * @param body the answer as it came
   * @param json the same as a tree; missing when the body is empty
   * @param now the server's time, within two seconds
   */
  record Done(int status, String body, JsonNode json, Instant now) implements Reply {}

  /** It was not done, or nobody knows. */
  sealed interface Failure extends Reply {}

  /** The server looked at the request and refused it: nothing was done. */
  record Refused(int status, ServerProblem problem) implements Failure {}

  /** The caller may not: 401 and 403. */
  record Denied(int status, ServerProblem problem) implements Failure {}

  /**
   * The server runs but cannot reach PostgreSQL; whether something was done, the problem's {@code
   * inDoubt} says.
   */
  record Unavailable(ServerProblem problem) implements Failure {}

  /** The server failed: a defect of its own. */
  record Failed(int status, ServerProblem problem) implements Failure {}

  /**
   * No server answered, or not to the end.
   *
   * @param why one sentence
   * @param sent whether there was somebody who may have got the request
   * @param inDoubt whether the request may have been carried out all the same
   */
  record Unreachable(ServerAddress address, String why, boolean sent, boolean inDoubt)
      implements Failure {}

  /**
   * Something answered that is not Millpond, such as a proxy or another program on the port.
   *
   * @param url what was called
   */
  record Foreign(URI url, int status, String why) implements Failure {}

  /** What a problem is to the caller. */
  static Failure failure(int status, ServerProblem problem) {
    if (status == 401 || status == 403) {
      return new Denied(status, problem);
    }
    if (status == 503 && problem.slug().equals("postgres-unavailable")) {
      return new Unavailable(problem);
    }
    // A 503 of another kind refuses for now: the queue is full, the server is busy.
    return status >= 500 && status != 503
        ? new Failed(status, problem)
        : new Refused(status, problem);
  }
}
