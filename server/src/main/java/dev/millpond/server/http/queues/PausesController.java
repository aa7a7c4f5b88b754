package dev.millpond.server.http.queues;

import dev.millpond.engine.Millpond;
import dev.millpond.engine.flow.FlowSettings;
import dev.millpond.engine.flow.Pause;
import dev.millpond.engine.flow.Pause.Scope;
import dev.millpond.server.http.Answer;
import dev.millpond.server.http.Query;
import dev.millpond.server.http.Remark;
import dev.millpond.server.http.RequestBody;
import dev.millpond.server.http.access.Caller;
import dev.millpond.server.http.access.Needs;
import dev.millpond.server.http.json.Json;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RestController;
import tools.jackson.core.JsonGenerator;

/**
 * Pauses and resumes queues, kinds and tags. Both may be repeated: what is paused already gets the
 * new reason, and what is not paused stays so.
 */
@RestController
public final class PausesController {
  private static final String PAUSE = "/pause";
  private static final String RESUME = "/resume";

  private final Millpond millpond;
  private final RequestBody body;

  public PausesController(Millpond millpond, RequestBody body) {
    this.millpond = millpond;
    this.body = body;
  }

  /** All pauses as this server knows them: their number is bounded, so there is one page. */
  @Needs(dev.millpond.engine.access.Scope.READ)
  @GetMapping("/v1/pauses")
  public void list(HttpServletRequest request, HttpServletResponse response) throws IOException {
    Query.none(request);
    Caller caller = Caller.of(request);
    List<Pause> pauses =
        millpond.flow().settings().pauses().all().stream()
            .filter(pause -> pause.scope() != Scope.QUEUE || caller.reaches(pause.name()))
            .toList();
    Answer.json(
            200,
            out -> {
              out.writeStartObject();
              out.writeArrayPropertyStart("items");
              pauses.forEach(pause -> pause(out, pause.scope(), pause.name(), pause));
              out.writeEndArray();
              out.writeBooleanProperty("partial", false);
              out.writeEndObject();
            })
        .writeTo(response);
  }

  @Needs(dev.millpond.engine.access.Scope.OPERATE)
  @PostMapping({FlowTarget.QUEUE + PAUSE, FlowTarget.KIND + PAUSE, FlowTarget.TAG + PAUSE})
  public void pause(
      @PathVariable("name") String name, HttpServletRequest request, HttpServletResponse response)
      throws IOException {
    Query.none(request);
    FlowTarget target = FlowTarget.of(request, name);
    Remark remark = Remark.read(request, body);
    show(
        target,
        millpond.flow().pause(target.scope(), name, remark.reason(), remark.by()),
        response);
  }

  @Needs(dev.millpond.engine.access.Scope.OPERATE)
  @PostMapping({FlowTarget.QUEUE + RESUME, FlowTarget.KIND + RESUME, FlowTarget.TAG + RESUME})
  public void resume(
      @PathVariable("name") String name, HttpServletRequest request, HttpServletResponse response)
      throws IOException {
    Query.none(request);
    RequestBody.none(request);
    FlowTarget target = FlowTarget.of(request, name);
    millpond.flow().resume(target.scope(), name);
    show(target, millpond.flow().settings(), response);
  }

  private static void show(FlowTarget target, FlowSettings settings, HttpServletResponse response)
      throws IOException {
    Pause pause = settings.pauses().of(target.scope(), target.name());
    Answer.json(200, out -> pause(out, target.scope(), target.name(), pause)).writeTo(response);
  }

  private static void pause(JsonGenerator out, Scope scope, String name, @Nullable Pause pause) {
    out.writeStartObject();
    out.writeStringProperty(scope.word(), name);
    out.writeBooleanProperty("paused", pause != null);
    if (pause != null) {
      words(out, pause);
    }
    out.writeEndObject();
  }

  /** Who paused it, when and why, into an object that has begun. */
  static void words(JsonGenerator out, Pause pause) {
    Json.optional(out, "reason", pause.reason());
    Json.optional(out, "by", pause.by());
    out.writeStringProperty("pausedAt", pause.at().toString());
  }
}
