package dev.millpond.server.http.jobs;

import dev.millpond.engine.Millpond;
import dev.millpond.engine.access.Scope;
import dev.millpond.engine.flow.Pause;
import dev.millpond.engine.query.Hold;
import dev.millpond.engine.query.Why;
import dev.millpond.server.http.Answer;
import dev.millpond.server.http.PathId;
import dev.millpond.server.http.Query;
import dev.millpond.server.http.access.Caller;
import dev.millpond.server.http.access.Needs;
import dev.millpond.server.http.json.Json;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.List;
import java.util.UUID;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RestController;
import tools.jackson.core.JsonGenerator;

/** Says why a job is not running. */
@RestController
public final class WhyController {
  private final Millpond millpond;
  private final VisibleJob visible;

  public WhyController(Millpond millpond, VisibleJob visible) {
    this.visible = visible;
    this.millpond = millpond;
  }

  /** What holds it, the most decisive first. */
  @Needs(Scope.READ)
  @GetMapping("/v1/jobs/{id}/why")
  public void why(
      @PathVariable("id") String text, HttpServletRequest request, HttpServletResponse response)
      throws IOException {
    Query.none(request);
    UUID id = visible.of(request, text).orElseThrow(() -> PathId.noSuchJob(text));
    Why why = millpond.why(id).orElseThrow(() -> PathId.noSuchJob(text));
    Caller caller = Caller.of(request);
    Answer.json(
            200,
            out -> {
              out.writeStartObject();
              out.writeStringProperty("id", why.jobId().toString());
              out.writeStringProperty("state", why.state().wireName());
              out.writeArrayPropertyStart("holds");
              why.holds().forEach(hold -> hold(out, visible(hold, caller)));
              out.writeEndArray();
              out.writeStringProperty("nextStep", why.nextStep());
              out.writeEndObject();
            })
        .writeTo(response);
  }

  /** Jobs of a kind may be of queues that the caller does not see. */
  private static Hold visible(Hold hold, Caller caller) {
    return hold instanceof Hold.LimitFull full
            && full.scope() == Pause.Scope.KIND
            && !caller.queues().isEmpty()
        ? new Hold.LimitFull(full.scope(), full.name(), full.concurrency(), List.of())
        : hold;
  }

  private static void hold(JsonGenerator out, Hold hold) {
    out.writeStartObject();
    out.writeStringProperty("type", hold.type());
    out.writeStringProperty("text", hold.text());
    switch (hold) {
      case Hold.Over ignored -> {}
      case Hold.Running ignored -> {}
      case Hold.Delayed delayed -> {
        Json.optional(out, "until", delayed.until());
        out.writeNumberProperty("attempt", delayed.attempt());
        out.writeBooleanProperty("retry", delayed.retry());
      }
      case Hold.Overdue overdue -> Json.optional(out, "since", overdue.since());
      case Hold.Paused(Pause pause) -> {
        out.writeStringProperty("scope", pause.scope().word());
        out.writeStringProperty("name", pause.name());
        Json.optional(out, "since", pause.at());
        Json.optional(out, "by", pause.by());
        Json.optional(out, "reason", pause.reason());
      }
      case Hold.LimitFull full -> {
        out.writeStringProperty("scope", full.scope().word());
        out.writeStringProperty("name", full.name());
        out.writeNumberProperty("concurrency", full.concurrency());
        out.writeArrayPropertyStart("holders");
        full.holders().forEach(job -> out.writeString(job.toString()));
        out.writeEndArray();
      }
      case Hold.RateSpent spent -> {
        out.writeStringProperty("scope", spent.scope().word());
        out.writeStringProperty("name", spent.name());
        Json.optional(out, "next", spent.next());
      }
      case Hold.NoWorker none -> {
        out.writeStringProperty("kind", none.kind());
        out.writeNumberProperty("draining", none.draining());
      }
      case Hold.Claimed claimed -> Json.optional(out, "since", claimed.since());
      case Hold.Behind behind -> {
        out.writeStringProperty("queue", behind.queue());
        out.writeStringProperty("priorityClass", behind.priorityClass());
        out.writeNumberProperty("jobs", behind.jobs());
        out.writeBooleanProperty("more", behind.more());
        out.writeNumberProperty("percent", behind.percent());
      }
      case Hold.NextInLine next -> out.writeNumberProperty("workers", next.workers());
    }
    out.writeEndObject();
  }
}
