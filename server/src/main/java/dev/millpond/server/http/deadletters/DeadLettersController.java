package dev.millpond.server.http.deadletters;

import dev.millpond.api.JobState;
import dev.millpond.api.RedriveResult;
import dev.millpond.engine.Millpond;
import dev.millpond.engine.query.Count;
import dev.millpond.engine.query.DeadLetterView;
import dev.millpond.engine.query.Page;
import dev.millpond.server.http.Answer;
import dev.millpond.server.http.PathId;
import dev.millpond.server.http.Query;
import dev.millpond.server.http.RequestBody;
import dev.millpond.server.http.json.Json;
import dev.millpond.server.http.problem.Problem;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.UUID;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RestController;
import tools.jackson.core.JsonGenerator;

/** Lists the dead letters and gives dead jobs a new life. */
@RestController
public final class DeadLettersController {
  private final Millpond millpond;

  public DeadLettersController(Millpond millpond) {
    this.millpond = millpond;
  }

  /** A page of dead letters that match the filters, newest first. */
  @GetMapping("/v1/dead-letters")
  public void list(HttpServletRequest request, HttpServletResponse response) throws IOException {
    Query query = Query.of(request, DeadLetterParameter.withPaging());
    Page<DeadLetterView> page =
        millpond.deadLetters(
            DeadLetterParameter.filter(query), query.find("cursor").orElse(null), query.limit());
    Answer.json(
            200,
            out -> {
              out.writeStartObject();
              out.writeArrayPropertyStart("items");
              page.items().forEach(letter -> letter(out, letter));
              out.writeEndArray();
              Json.optional(out, "nextCursor", page.nextCursor());
              out.writeBooleanProperty("partial", page.partial());
              out.writeEndObject();
            })
        .writeTo(response);
  }

  /** How many dead letters match the filters; at least so many where it is not exact. */
  @GetMapping("/v1/dead-letters/count")
  public void count(HttpServletRequest request, HttpServletResponse response) throws IOException {
    Query query = Query.of(request, DeadLetterParameter.names());
    Count count = millpond.countDeadLetters(DeadLetterParameter.filter(query));
    Answer.json(
            200,
            out -> {
              out.writeStartObject();
              out.writeNumberProperty("count", count.count());
              out.writeBooleanProperty("exact", count.exact());
              out.writeEndObject();
            })
        .writeTo(response);
  }

  /** Makes a dead job runnable again, at attempt 1 and with the same id. */
  @PostMapping("/v1/dead-letters/{jobId}/redrive")
  public void redrive(
      @PathVariable("jobId") String jobId, HttpServletRequest request, HttpServletResponse response)
      throws IOException {
    Query.none(request);
    RequestBody.none(request);
    UUID id = PathId.of(jobId).orElseThrow(() -> PathId.noSuchJob(jobId));
    switch (millpond.redrive(id)) {
      case RedriveResult.Redriven redriven -> {
        response.setHeader("Location", "/v1/jobs/" + id);
        Answer.json(
                202,
                out -> {
                  out.writeStartObject();
                  out.writeStringProperty("id", id.toString());
                  out.writeStringProperty("state", JobState.RUNNABLE.wireName());
                  out.writeEndObject();
                })
            .writeTo(response);
      }
      case RedriveResult.WrongState wrong ->
          Problem.of(
                  409,
                  "wrong-state",
                  "Job " + id + " is " + wrong.state().wireName() + "; only a dead job is redriven")
              .with("state", wrong.state().wireName())
              .writeTo(response);
      case RedriveResult.NotFound missing -> PathId.noSuchJob(jobId).problem().writeTo(response);
    }
  }

  private static void letter(JsonGenerator out, DeadLetterView letter) {
    out.writeStartObject();
    out.writeStringProperty("jobId", letter.jobId().toString());
    out.writeStringProperty("queue", letter.queue());
    out.writeStringProperty("priorityClass", letter.priorityClass());
    out.writeStringProperty("kind", letter.kind());
    out.writeNumberProperty("attempts", letter.attempts());
    out.writeStringProperty("reason", letter.reason());
    out.writeObjectPropertyStart("error");
    out.writeStringProperty("type", letter.error().type());
    Json.optional(out, "message", letter.error().message());
    Json.optional(out, "stack", letter.error().stack());
    out.writeEndObject();
    out.writeStringProperty("deadAt", letter.deadAt().toString());
    out.writeEndObject();
  }
}
