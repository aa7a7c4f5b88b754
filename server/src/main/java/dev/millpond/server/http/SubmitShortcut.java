package dev.millpond.server.http;

import dev.millpond.engine.access.Scope;
import dev.millpond.server.http.access.Caller;
import dev.millpond.server.http.jobs.BatchController;
import dev.millpond.server.http.jobs.JobsController;
import dev.millpond.server.http.problem.ProblemAdvice;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import org.springframework.web.servlet.HandlerMapping;

/**
 * Takes submits past Spring MVC, whose dispatch costs more than the rest of a plain submit (ADR
 * 17), to the very methods that it would call. Knows the two paths in their plain spelling only:
 * whatever else Spring MVC takes for them goes through it. Thread-safe.
 */
final class SubmitShortcut {
  private final JobsController one;
  private final BatchController batch;
  private final ProblemAdvice problems;

  SubmitShortcut(JobsController one, BatchController batch, ProblemAdvice problems) {
    this.one = one;
    this.batch = batch;
    this.problems = problems;
  }

  /** Answers the request if it is a submit; otherwise does nothing and says so. */
  boolean answers(HttpServletRequest request, HttpServletResponse response) throws IOException {
    if (!request.getMethod().equals("POST")) {
      return false;
    }
    String path = request.getRequestURI();
    try {
      switch (path) {
        case JobsController.PATH -> {
          Caller.of(request).need(Scope.SUBMIT);
          one.submit(request, response);
        }
        case BatchController.PATH -> {
          Caller.of(request).need(Scope.SUBMIT);
          batch.submit(request, response);
        }
        default -> {
          return false;
        }
      }
    } catch (IOException | RuntimeException | Error e) {
      problems.answer(e, request, response);
    }
    request.setAttribute(HandlerMapping.BEST_MATCHING_PATTERN_ATTRIBUTE, path);
    return true;
  }
}
