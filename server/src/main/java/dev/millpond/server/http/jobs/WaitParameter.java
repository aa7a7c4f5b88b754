package dev.millpond.server.http.jobs;

import dev.millpond.api.Limits;
import dev.millpond.api.SubmitOptions;
import dev.millpond.server.http.ClientWatch;
import dev.millpond.server.http.ClientWatch.Watched;
import dev.millpond.server.http.Query;
import dev.millpond.server.traces.RequestSpans;
import jakarta.servlet.http.HttpServletRequest;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * How long a submit waits for room in a full queue: {@code ?wait=}, whole seconds, 0 unless given.
 * A client that hangs up meanwhile gives its place to another one.
 */
final class WaitParameter {
  static final String NAME = "wait";

  /** The trace that the jobs of a request belong to; one that is not of its form is ignored. */
  private static final String TRACEPARENT = "traceparent";

  private WaitParameter() {}

  /** A submit, as it is asked for. */
  interface Submit<T> {
    T with(SubmitOptions options);
  }

  /**
   * Whole seconds to wait.
   *
   * @throws dev.millpond.server.http.problem.ProblemException 400 for anything else
   */
  static int seconds(Query query) {
    return query.number(NAME, 0, (int) Limits.WAIT_MOST.toSeconds()).orElse(0);
  }

  /** Null where the request has a span of its own, below which the submit belongs. */
  private static @Nullable String trace(HttpServletRequest request) {
    String header = request.getHeader(TRACEPARENT);
    return header == null || request.getAttribute(RequestSpans.ATTRIBUTE) != null ? null : header;
  }

  /** Submits; for as long as that takes, the client is watched where it may have to wait. */
  static <T> T submit(
      HttpServletRequest request, ClientWatch clients, int seconds, Submit<T> submit) {
    String trace = trace(request);
    if (seconds == 0) {
      return submit.with(
          trace == null ? SubmitOptions.NO_WAIT : SubmitOptions.NO_WAIT.withTraceparent(trace));
    }
    try (Watched client = clients.watch(request)) {
      return submit.with(
          SubmitOptions.waiting(Duration.ofSeconds(seconds))
              .withGone(client::gone)
              .withTraceparent(trace));
    }
  }
}
