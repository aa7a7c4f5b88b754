package dev.millpond.server.http.problem;

import dev.millpond.api.IdempotencyConflictException;
import dev.millpond.api.InvalidJobException;
import dev.millpond.api.SubmitResult;
import dev.millpond.api.SubmitResult.Measure;
import dev.millpond.api.UnavailableException;
import dev.millpond.engine.flow.InvalidSettingException;
import dev.millpond.engine.query.InvalidCursorException;
import dev.millpond.engine.query.InvalidFilterException;
import dev.millpond.engine.query.InvalidPathException;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeoutException;
import org.eclipse.jetty.http.HttpException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.web.HttpRequestMethodNotSupportedException;
import org.springframework.web.servlet.NoHandlerFoundException;
import org.springframework.web.servlet.resource.NoResourceFoundException;

/** What each exception means to the caller: one table. */
public final class Problems {
  private static final Logger log = LoggerFactory.getLogger(Problems.class);

  /** How long PostgreSQL's absence is likely to last, for want of better knowledge. */
  private static final Duration OUTAGE_WAIT = Duration.ofSeconds(2);

  private Problems() {}

  /**
   * The answer to an exception; one nobody expected is logged and becomes a 500.
   *
   * @param pointerPrefix where the jobs of a batch are in its body
   * @param changes whether the request was to change something
   */
  public static Problem of(Throwable error, String pointerPrefix, boolean changes) {
    return switch (error) {
      case ProblemException known -> known.problem();
      case InvalidJobException invalid -> invalidJob(invalid, pointerPrefix);
      case InvalidSettingException setting ->
          Problem.fields(
              List.of(new Problem.FieldError(setting.pointer(), "invalid", setting.detail(), -1)));
      case IdempotencyConflictException conflict -> conflict(conflict);
      case UnavailableException away -> unavailable(away, changes);
      case InvalidCursorException cursor ->
          Problem.of(400, "invalid-parameter", message(cursor)).with("parameter", "cursor");
      case InvalidFilterException filter ->
          Problem.of(400, "invalid-parameter", "Query parameter " + message(filter))
              .with("parameter", filter.parameter());
      case InvalidPathException path -> path(path);
      case HttpRequestMethodNotSupportedException method -> method(method);
      case NoHandlerFoundException missing -> notFound(missing.getRequestURL());
      case NoResourceFoundException missing -> notFound("/" + missing.getResourcePath());
      case IOException broken -> brokenBody(broken);
      default -> {
        log.error("A request failed", error);
        yield Problem.of(500, "internal-error", "The server failed; its log says why");
      }
    };
  }

  private static Problem conflict(IdempotencyConflictException e) {
    Problem problem =
        Problem.of(
                422,
                "idempotency-conflict",
                "The idempotency key belongs to job " + e.jobId() + ", of another body")
            .remedy("Use a new idempotency key, or send the body of the first request")
            .with("jobId", e.jobId());
    return e.index() < 0 ? problem : problem.with("index", e.index());
  }

  /** 503: the queue takes no more work for now. */
  public static Problem refused(SubmitResult.Refused refused) {
    return Problem.of(
            503,
            "queue-full",
            "Queue "
                + refused.queue()
                + (refused.measure() == Measure.SCHEDULED_JOBS
                    ? " has all the scheduled jobs it may"
                    : " is full")
                + ": depth "
                + refused.depth()
                + " "
                + refused.measure().unit()
                + ", high watermark "
                + refused.highWatermark())
        .remedy("Try again after Retry-After, add workers, or raise the queue's watermarks")
        .with("queue", refused.queue())
        .with("measure", refused.measure().name().toLowerCase(Locale.ROOT).replace('_', '-'))
        .with("depth", refused.depth())
        .with("highWatermark", refused.highWatermark())
        .with("lowWatermark", refused.lowWatermark())
        .retryAfter(refused.retryAfter());
  }

  public static Problem method(String method, Set<String> allowed) {
    String list = String.join(", ", new TreeSet<>(allowed));
    Problem problem =
        Problem.of(405, "method-not-allowed", method + " is not allowed here, but " + list);
    return problem.header("Allow", list);
  }

  private static Problem notFound(String path) {
    return Problem.of(404, "not-found", "Nothing is at " + path);
  }

  private static Problem method(HttpRequestMethodNotSupportedException e) {
    String[] supported = e.getSupportedMethods();
    return method(e.getMethod(), supported == null ? Set.of() : Set.of(supported));
  }

  /**
   * 422: a field of a job is out of its range.
   *
   * @param prefix JSON pointer of the list of jobs in the body; null when each job is a text of its
   *     own
   */
  public static Problem invalidJob(InvalidJobException e, @Nullable String prefix) {
    String pointer =
        prefix == null || e.index() < 0 ? e.pointer() : prefix + "/" + e.index() + e.pointer();
    return Problem.fields(
        List.of(new Problem.FieldError(pointer, "invalid", e.detail(), e.index())));
  }

  private static Problem path(InvalidPathException e) {
    Problem problem =
        Problem.of(422, "invalid-path", "payload is no JSON path: " + message(e))
            .with("parameter", "payload")
            .remedy("Write a path of PostgreSQL's SQL/JSON path language, such as $.size > 5");
    return e.position() < 0 ? problem : problem.with("position", (long) e.position());
  }

  private static Problem brokenBody(IOException e) {
    for (Throwable cause = e; cause != null; cause = cause.getCause()) {
      if (cause instanceof TimeoutException) {
        return Problem.of(408, "request-timeout", "The body came too slowly")
            .remedy("Send smaller batches")
            .header("Connection", "close");
      }
      if (cause instanceof HttpException) {
        return Problem.of(400, "bad-request", "The chunks of the body are not valid HTTP")
            .header("Connection", "close");
      }
    }
    return Problem.of(400, "incomplete-body", "The body ended early");
  }

  private static Problem unavailable(UnavailableException e, boolean changes) {
    Problem problem = Problem.of(503, "postgres-unavailable", message(e)).retryAfter(OUTAGE_WAIT);
    if (!changes) {
      return problem.remedy("Try again after Retry-After");
    }
    return problem
        .with("inDoubt", e.inDoubt())
        .remedy(
            e.inDoubt()
                ? "It may have been done all the same: submit again with the same idempotency key,"
                    + " or look at the job first"
                : "Nothing was written: try again after Retry-After");
  }

  private static String message(Throwable e) {
    String message = e.getMessage();
    return message == null ? e.getClass().getSimpleName() : message;
  }
}
