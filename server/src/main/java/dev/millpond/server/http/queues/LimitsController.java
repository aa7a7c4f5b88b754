package dev.millpond.server.http.queues;

import dev.millpond.engine.Millpond;
import dev.millpond.engine.access.Scope;
import dev.millpond.engine.flow.Limit;
import dev.millpond.engine.flow.Limit.Rate;
import dev.millpond.engine.flow.LimitView;
import dev.millpond.server.http.Answer;
import dev.millpond.server.http.Query;
import dev.millpond.server.http.RequestBody;
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
  private static final String LIMITS = "/limits";

  private final Millpond millpond;
  private final RequestBody body;

  public LimitsController(Millpond millpond, RequestBody body) {
    this.millpond = millpond;
    this.body = body;
  }

  @Needs(Scope.READ)
  @GetMapping({FlowTarget.QUEUE + LIMITS, FlowTarget.KIND + LIMITS})
  public void get(
      @PathVariable("name") String name, HttpServletRequest request, HttpServletResponse response)
      throws IOException {
    Query.none(request);
    show(FlowTarget.of(request, name), response);
  }

  @Needs(Scope.OPERATE)
  @PutMapping({FlowTarget.QUEUE + LIMITS, FlowTarget.KIND + LIMITS})
  public void set(
      @PathVariable("name") String name, HttpServletRequest request, HttpServletResponse response)
      throws IOException {
    Query.none(request);
    FlowTarget target = FlowTarget.of(request, name);
    millpond.flow().setLimit(target.scope(), name, LimitReader.read(body.json(request)));
    show(target, response);
  }

  @Needs(Scope.OPERATE)
  @DeleteMapping({FlowTarget.QUEUE + LIMITS, FlowTarget.KIND + LIMITS})
  public void reset(
      @PathVariable("name") String name, HttpServletRequest request, HttpServletResponse response)
      throws IOException {
    Query.none(request);
    RequestBody.none(request);
    FlowTarget target = FlowTarget.of(request, name);
    millpond.flow().resetLimit(target.scope(), name);
    show(target, response);
  }

  private void show(FlowTarget target, HttpServletResponse response) throws IOException {
    LimitView view = millpond.flow().limit(target.scope(), target.name());
    Answer.json(
            200,
            out -> {
              out.writeStartObject();
              out.writeStringProperty(target.scope().word(), target.name());
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
