package dev.millpond.server.http.queues;

import dev.millpond.engine.Millpond;
import dev.millpond.engine.flow.Limit;
import dev.millpond.engine.flow.Limit.Rate;
import dev.millpond.engine.flow.LimitView;
import dev.millpond.engine.flow.Pause.Scope;
import dev.millpond.server.http.Answer;
import dev.millpond.server.http.Query;
import dev.millpond.server.http.RequestBody;
import dev.millpond.server.http.access.Caller;
import dev.millpond.server.http.access.Needs;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import org.jspecify.annotations.Nullable;
import org.springframework.web.bind.annotation.DeleteMapping;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PutMapping;
import org.springframework.web.bind.annotation.RestController;
import tools.jackson.core.JsonGenerator;

/** Limits of queues and kinds, with who runs under them now. */
@RestController
public final class LimitsController {
  private final Millpond millpond;
  private final RequestBody body;

  public LimitsController(Millpond millpond, RequestBody body) {
    this.millpond = millpond;
    this.body = body;
  }

  @Needs(dev.millpond.engine.access.Scope.READ)
  @GetMapping("/v1/queues/{name}/limits")
  public void ofQueue(
      @PathVariable("name") String name, HttpServletRequest request, HttpServletResponse response)
      throws IOException {
    Query.none(request);
    check(Scope.QUEUE, name, request);
    show(Scope.QUEUE, name, response);
  }

  @Needs(dev.millpond.engine.access.Scope.OPERATE)
  @PutMapping("/v1/queues/{name}/limits")
  public void setOfQueue(
      @PathVariable("name") String name, HttpServletRequest request, HttpServletResponse response)
      throws IOException {
    set(Scope.QUEUE, name, request, response);
  }

  @Needs(dev.millpond.engine.access.Scope.OPERATE)
  @DeleteMapping("/v1/queues/{name}/limits")
  public void resetOfQueue(
      @PathVariable("name") String name, HttpServletRequest request, HttpServletResponse response)
      throws IOException {
    reset(Scope.QUEUE, name, request, response);
  }

  @Needs(dev.millpond.engine.access.Scope.READ)
  @GetMapping("/v1/kinds/{name}/limits")
  public void ofKind(
      @PathVariable("name") String name, HttpServletRequest request, HttpServletResponse response)
      throws IOException {
    Query.none(request);
    check(Scope.KIND, name, request);
    show(Scope.KIND, name, response);
  }

  @Needs(dev.millpond.engine.access.Scope.OPERATE)
  @PutMapping("/v1/kinds/{name}/limits")
  public void setOfKind(
      @PathVariable("name") String name, HttpServletRequest request, HttpServletResponse response)
      throws IOException {
    set(Scope.KIND, name, request, response);
  }

  @Needs(dev.millpond.engine.access.Scope.OPERATE)
  @DeleteMapping("/v1/kinds/{name}/limits")
  public void resetOfKind(
      @PathVariable("name") String name, HttpServletRequest request, HttpServletResponse response)
      throws IOException {
    reset(Scope.KIND, name, request, response);
  }

  /** A kind is of all queues, and so are the jobs that run of it. */
  static void check(Scope scope, String name, HttpServletRequest request) {
    if (scope == Scope.QUEUE) {
      Caller.of(request).queue(name);
    } else {
      Caller.of(request).wholeFleet();
    }
  }

  private void set(
      Scope scope, String name, HttpServletRequest request, HttpServletResponse response)
      throws IOException {
    Query.none(request);
    check(scope, name, request);
    millpond.flow().setLimit(scope, name, LimitReader.read(body.json(request)));
    show(scope, name, response);
  }

  private void reset(
      Scope scope, String name, HttpServletRequest request, HttpServletResponse response)
      throws IOException {
    Query.none(request);
    RequestBody.none(request);
    check(scope, name, request);
    millpond.flow().resetLimit(scope, name);
    show(scope, name, response);
  }

  private void show(Scope scope, String name, HttpServletResponse response) throws IOException {
    LimitView view = millpond.flow().limit(scope, name);
    Answer.json(
            200,
            out -> {
              out.writeStartObject();
              out.writeStringProperty(scope.word(), name);
              limit(out, view.limit());
              out.writeNumberProperty("running", view.running());
              out.writeArrayPropertyStart("holders");
              view.holders().forEach(job -> out.writeString(job.toString()));
              out.writeEndArray();
              Double tokens = view.tokens();
              if (tokens != null) {
                out.writeNumberProperty("tokens", tokens.longValue());
              }
              out.writeEndObject();
            })
        .writeTo(response);
  }

  private static void limit(JsonGenerator out, @Nullable Limit limit) {
    if (limit == null) {
      return;
    }
    Integer concurrency = limit.concurrency();
    if (concurrency != null) {
      out.writeNumberProperty("concurrency", concurrency);
    }
    Rate rate = limit.rate();
    if (rate != null) {
      out.writeObjectPropertyStart("rate");
      out.writeNumberProperty("permits", rate.permits());
      out.writeStringProperty("per", rate.per().toString());
      out.writeNumberProperty("burst", rate.burst());
      out.writeEndObject();
    }
  }
}
