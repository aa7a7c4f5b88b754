package dev.millpond.server.http.problem;

import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import org.springframework.web.bind.annotation.ExceptionHandler;
import org.springframework.web.bind.annotation.RestControllerAdvice;

/** Answers every exception of a request with its problem. */
@RestControllerAdvice
public final class ProblemAdvice {
  /** Where the jobs of a batch are in its body. */
  private static final String JOBS = "/jobs";

  @ExceptionHandler(Throwable.class)
  public void answer(Throwable error, HttpServletRequest request, HttpServletResponse response)
      throws IOException {
    Problems.of(error, JOBS, request.getMethod().equals("POST")).writeTo(response);
  }
}
