package dev.millpond.server.http;

import dev.millpond.engine.audit.Actor;
import dev.millpond.server.http.access.Caller;
import dev.millpond.server.http.access.Callers;
import dev.millpond.server.http.problem.Problem;
import dev.millpond.server.http.problem.Problems;
import dev.millpond.server.metrics.HttpMeters;
import dev.millpond.server.traces.RequestSpan;
import dev.millpond.server.traces.RequestSpans;
import jakarta.servlet.Filter;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletResponse;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.springframework.web.servlet.HandlerMapping;

/**
 * What every request passes, and where it is found out who calls. Without keys only the machine
 * itself may call: the Host must be a loopback name, or a web page could reach us through DNS
 * rebinding. A request that changes something must not come from a page of another origin.
 */
final class FrontFilter implements Filter {
  private static final Set<String> HOSTS = Set.of("127.0.0.1", "localhost", "[::1]");
  private static final Set<String> VERBS =
      Set.of("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS");
  private static final Set<String> SAFE_VERBS = Set.of("GET", "HEAD", "OPTIONS");

  /** Stands for a verb that is not taken. */
  private static final String OTHER_VERB = "_other";

  /** Of answers that no page overrides: nothing of them is to be run or framed. */
  private static final String CSP = "default-src 'none'; frame-ancestors 'none'";

  private final BodyRoom room;
  private final Callers callers;
  private final HttpMeters meters;
  private final @Nullable RequestSpans spans;
  private final @Nullable SubmitShortcut submits;

  /**
   * @param spans null where requests are not traced
   * @param submits null where jobs are not submitted
   */
  FrontFilter(
      BodyRoom room,
      Callers callers,
      HttpMeters meters,
      @Nullable RequestSpans spans,
      @Nullable SubmitShortcut submits) {
    this.room = room;
    this.callers = callers;
    this.meters = meters;
    this.spans = spans;
    this.submits = submits;
  }

  @Override
  public void doFilter(ServletRequest request, ServletResponse response, FilterChain chain)
      throws IOException, ServletException {
    long began = System.nanoTime();
    HttpServletRequest http = (HttpServletRequest) request;
    HttpServletResponse answer = (HttpServletResponse) response;
    try {
      if (spans == null) {
        answer(http, answer, chain);
      } else {
        answer(spans, http, answer, chain);
      }
    } finally {
      String verb = verb(http);
      String route = route(http);
      meters.answered(
          verb == null ? OTHER_VERB : verb,
          route == null ? HttpMeters.NO_ROUTE : route,
          answer.getStatus(),
          System.nanoTime() - began);
    }
  }

  /** One that is taken; null for any other. */
  private static @Nullable String verb(HttpServletRequest request) {
    String verb = request.getMethod();
    return VERBS.contains(verb) ? verb : null;
  }

  /** As Spring MVC has matched it, or the shortcut in its place; null where nobody has. */
  private static @Nullable String route(HttpServletRequest request) {
    Object route = request.getAttribute(HandlerMapping.BEST_MATCHING_PATTERN_ATTRIBUTE);
    return route == null ? null : route.toString();
  }

  private void answer(
      RequestSpans spans, HttpServletRequest http, HttpServletResponse answer, FilterChain chain)
      throws IOException, ServletException {
    RequestSpan span = spans.begin(verb(http), http);
    Throwable failure = null;
    try {
      answer(http, answer, chain);
    } catch (IOException | ServletException | RuntimeException | Error e) {
      failure = e;
      throw e;
    } finally {
      if (span != null) {
        span.end(route(http), answer.getStatus(), failure);
      }
    }
  }

  private void answer(HttpServletRequest http, HttpServletResponse answer, FilterChain chain)
      throws IOException, ServletException {
    answer.setHeader("Cache-Control", "no-store");
    answer.setHeader("X-Content-Type-Options", "nosniff");
    Problem problem = check(http);
    if (problem != null) {
      problem.writeTo(answer);
      return;
    }
    Caller caller;
    try {
      caller = callers.identify(http);
    } catch (RuntimeException e) { // PostgreSQL may be away, which knows sessions
      Problems.of(e, "", false).writeTo(answer);
      return;
    }
    caller.attachTo(http);
    try {
      if (SAFE_VERBS.contains(http.getMethod())) {
        go(http, answer, chain);
      } else {
        caller.actor(callers.address(http)).bind();
        go(http, answer, chain);
      }
    } finally {
      Actor.unbind();
      room.release(http);
    }
  }

  private void go(HttpServletRequest request, HttpServletResponse response, FilterChain chain)
      throws IOException, ServletException {
    if (submits == null || !submits.answers(request, response)) {
      if (SAFE_VERBS.contains(request.getMethod())) { // only these show pages
        response.setHeader("Content-Security-Policy", CSP);
        response.setHeader("Referrer-Policy", "no-referrer");
      }
      chain.doFilter(request, response);
    }
  }

  private @Nullable Problem check(HttpServletRequest request) {
    String host = request.getHeader("Host");
    // The target of the request line counts as well: it may name a host of its own.
    if (callers.local() && (!known(host) || !known(request.getServerName()))) {
      return Problem.of(
              421,
              "wrong-host",
              (host == null ? "Host is missing" : "Host is \"" + host + "\"")
                  + "; allowed: 127.0.0.1, localhost, [::1]")
          .remedy("Call the server by a loopback name");
    }
    if (request.getRequestURI().indexOf(';') >= 0) {
      return Problem.of(400, "bad-request", "A path may not have parameters")
          .remedy("Leave out what follows the semicolon");
    }
    String verb = request.getMethod();
    if (!VERBS.contains(verb)) {
      return Problems.method(verb, VERBS);
    }
    String origin = request.getHeader("Origin");
    if (origin != null && !SAFE_VERBS.contains(verb) && !ours(origin, host)) {
      return Problem.of(
              403, "cross-site", "A page of " + origin + " may not change anything at " + host)
          .remedy("Call from the server's own pages, or without a browser");
    }
    return null;
  }

  /** With keys, a proxy before us may speak TLS. */
  private boolean ours(String origin, @Nullable String host) {
    return origin.equalsIgnoreCase("http://" + host)
        || (!callers.local() && origin.equalsIgnoreCase("https://" + host));
  }

  private static boolean known(@Nullable String host) {
    if (host == null) {
      return false;
    }
    int colon = host.lastIndexOf(':');
    boolean port = colon >= 0 && host.indexOf(']', colon) < 0;
    return HOSTS.contains((port ? host.substring(0, colon) : host).toLowerCase(Locale.ROOT));
  }
}
