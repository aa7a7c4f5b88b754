package dev.millpond.server.http.queues;

import dev.millpond.engine.flow.Pause.Scope;
import dev.millpond.server.http.access.Caller;
import jakarta.servlet.http.HttpServletRequest;
import org.springframework.web.servlet.HandlerMapping;

/** The queue, kind or tag that the path of a request names, and that its caller may steer. */
record FlowTarget(Scope scope, String name) {
  /** As the API spells them; the routes of all that is set for queues, kinds and tags alike. */
  static final String QUEUE = "/v1/queues/{name}";

  static final String KIND = "/v1/kinds/{name}";
  static final String TAG = "/v1/tags/{name}";

  /**
   * By the route that Spring MVC has matched.
   *
   * @throws dev.millpond.server.http.problem.ProblemException 404 for a queue that the caller's key
   *     is not for, 403 where that key is for some queues only: kinds and tags are of all
   */
  static FlowTarget of(HttpServletRequest request, String name) {
    String route =
        String.valueOf(request.getAttribute(HandlerMapping.BEST_MATCHING_PATTERN_ATTRIBUTE));
    if (route.startsWith(QUEUE)) {
      Caller.of(request).queue(name);
      return new FlowTarget(Scope.QUEUE, name);
    }
    Caller.of(request).wholeFleet();
    return new FlowTarget(route.startsWith(KIND) ? Scope.KIND : Scope.TAG, name);
  }
}
