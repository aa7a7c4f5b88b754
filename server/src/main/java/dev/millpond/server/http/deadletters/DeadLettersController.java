package dev.millpond.server.http.deadletters;

import dev.millpond.api.JobState;
import dev.millpond.api.RedriveResult;
import dev.millpond.engine.Millpond;
import dev.millpond.engine.access.Scope;
import dev.millpond.engine.query.BulkRedrive;
import dev.millpond.engine.query.Count;
import dev.millpond.engine.query.DeadLetterFilter;
import dev.millpond.engine.query.DeadLetterGroups;
import dev.millpond.engine.query.DeadLetterView;
import dev.millpond.engine.query.Page;
import dev.millpond.engine.query.Replacement;
import dev.millpond.server.http.Answer;
import dev.millpond.server.http.PathId;
import dev.millpond.server.http.Query;
import dev.millpond.server.http.RequestBody;
import dev.millpond.server.http.access.Caller;
import dev.millpond.server.http.access.Needs;
import dev.millpond.server.http.jobs.JobReader;
import dev.millpond.server.http.jobs.VisibleJob;
import dev.millpond.server.http.json.Json;
import dev.millpond.server.http.problem.Problem;
import dev.millpond.server.http.problem.ProblemException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.UUID;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PatchMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RestController;
import tools.jackson.core.JsonGenerator;

/** Lists the dead letters and gives dead jobs a new life. */
@RestController
public final class DeadLettersController {
  private static final String EXPECTED = "expectedCount";
  private static final List<String> EDITABLE = List.of("payload", "maxAttempts");

  private final Millpond millpond;
  private final RequestBody body;
  private final VisibleJob visible;

  public DeadLettersController(Millpond millpond, RequestBody body, VisibleJob visible) {
    this.visible = visible;
    this.millpond = millpond;
    this.body = body;
  }

  /** A page of dead letters that match the filters, newest first. */
  @Needs(Scope.READ)
  @GetMapping("/v1/dead-letters")
  public void list(HttpServletRequest request, HttpServletResponse response) throws IOException {
    Query query = Query.of(request, DeadLetterParameter.withPaging());
    Page<DeadLetterView> page =
        millpond.deadLetters(
            filter(query, request), query.find("cursor").orElse(null), query.limit());
    Answer.page(page, DeadLettersController::letter).writeTo(response);
  }

  /** How many dead letters match the filters; at least so many where it is not exact. */
  @Needs(Scope.READ)
  @GetMapping("/v1/dead-letters/count")
  public void count(HttpServletRequest request, HttpServletResponse response) throws IOException {
    Query query = Query.of(request, DeadLetterParameter.names());
    Count count = millpond.countDeadLetters(filter(query, request));
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

  /** What the newest dead letters that match died of. */
  @Needs(Scope.READ)
  @GetMapping("/v1/dead-letters/groups")
  public void groups(HttpServletRequest request, HttpServletResponse response) throws IOException {
    Query query = Query.of(request, DeadLetterParameter.names());
    DeadLetterGroups found = millpond.deadLetterGroups(filter(query, request));
    Answer.json(
            200,
            out -> {
              out.writeStartObject();
              out.writeArrayPropertyStart("groups");
              found.groups().forEach(group -> group(out, group));
              out.writeEndArray();
              out.writeBooleanProperty("whole", found.whole());
              out.writeEndObject();
            })
        .writeTo(response);
  }

  private static void group(JsonGenerator out, DeadLetterGroups.Group group) {
    out.writeStartObject();
    out.writeStringProperty("kind", group.kind());
    out.writeStringProperty("errorType", group.errorType());
    out.writeStringProperty("pattern", group.pattern());
    out.writeStringProperty("common", group.common());
    out.writeNumberProperty("count", group.count());
    out.writeStringProperty("first", group.first().toString());
    out.writeStringProperty("last", group.last().toString());
    out.writeStringProperty("newest", group.newest().toString());
    out.writeEndObject();
  }

  /** One dead letter. */
  @Needs(Scope.READ)
  @GetMapping("/v1/dead-letters/{jobId}")
  public void get(
      @PathVariable("jobId") String jobId, HttpServletRequest request, HttpServletResponse response)
      throws IOException {
    Query.none(request);
    UUID id = visible.of(request, jobId).orElseThrow(() -> noSuchLetter(jobId));
    DeadLetterView letter = millpond.deadLetter(id).orElseThrow(() -> noSuchLetter(jobId));
    Answer.json(200, out -> letter(out, letter)).writeTo(response);
  }

  /**
   * Redrives all dead letters that match the filters, as far as one bounded call goes. With {@code
   * expectedCount} only if there are as many as that.
   */
  @Needs(Scope.OPERATE)
  @PostMapping("/v1/dead-letters/redrive")
  public void redriveAll(HttpServletRequest request, HttpServletResponse response)
      throws IOException {
    List<String> parameters = new ArrayList<>(DeadLetterParameter.names());
    parameters.add(EXPECTED);
    Query query = Query.of(request, parameters);
    RequestBody.none(request);
    OptionalInt given = query.number(EXPECTED, 0, Integer.MAX_VALUE);
    OptionalLong expected =
        given.isPresent() ? OptionalLong.of(given.getAsInt()) : OptionalLong.empty();
    switch (millpond.redriveAll(filter(query, request), expected)) {
      case BulkRedrive.Done done ->
          Answer.json(
                  200,
                  out -> {
                    out.writeStartObject();
                    out.writeNumberProperty("redriven", done.redriven());
                    out.writeNumberProperty("skipped", done.skipped());
                    out.writeNumberProperty("remaining", done.remaining().count());
                    out.writeEndObject();
                  })
              .writeTo(response);
      case BulkRedrive.CountDiffers differs ->
          Problem.of(
                  409,
                  "count-differs",
                  "Dead letters that match: "
                      + differs.actual().count()
                      + ", not "
                      + expected.getAsLong())
              .remedy("Look at them again: GET /v1/dead-letters/count with the same filters")
              .with("count", differs.actual().count())
              .writeTo(response);
    }
  }

  /**
   * Submits a copy of a dead job with another payload or number of attempts; the dead job ends as
   * {@code cancelled}, its last attempt names the copy.
   */
  @Needs(Scope.OPERATE)
  @PatchMapping("/v1/dead-letters/{jobId}")
  public void replace(
      @PathVariable("jobId") String jobId, HttpServletRequest request, HttpServletResponse response)
      throws IOException {
    Query.none(request);
    UUID id = visible.of(request, jobId).orElseThrow(() -> PathId.noSuchJob(jobId));
    JobReader.Edit edit = JobReader.edit(body.json(request), EDITABLE);
    switch (millpond.replaceDeadLetter(id, edit.payload(), edit.maxAttempts())) {
      case Replacement.Replaced replaced -> {
        response.setHeader("Location", "/v1/jobs/" + replaced.newId());
        Answer.json(
                202,
                out -> {
                  out.writeStartObject();
                  out.writeStringProperty("id", replaced.newId().toString());
                  out.writeStringProperty("state", JobState.RUNNABLE.wireName());
                  out.writeStringProperty("replaces", id.toString());
                  out.writeEndObject();
                })
            .writeTo(response);
      }
      case Replacement.WrongState wrong ->
          notDead(id, wrong.state(), "only a dead job is replaced").writeTo(response);
      case Replacement.NotFound missing -> PathId.noSuchJob(jobId).problem().writeTo(response);
    }
  }

  /** Makes a dead job runnable again, at attempt 1 and with the same id. */
  @Needs(Scope.OPERATE)
  @PostMapping("/v1/dead-letters/{jobId}/redrive")
  public void redrive(
      @PathVariable("jobId") String jobId, HttpServletRequest request, HttpServletResponse response)
      throws IOException {
    Query.none(request);
    RequestBody.none(request);
    UUID id = visible.of(request, jobId).orElseThrow(() -> PathId.noSuchJob(jobId));
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
          notDead(id, wrong.state(), "only a dead job is redriven").writeTo(response);
      case RedriveResult.NotFound missing -> PathId.noSuchJob(jobId).problem().writeTo(response);
    }
  }

  private static DeadLetterFilter filter(Query query, HttpServletRequest request) {
    return DeadLetterParameter.filter(query).withWithin(Caller.of(request).queues());
  }

  private static Problem notDead(UUID id, JobState state, String why) {
    return Problem.of(409, "wrong-state", "Job " + id + " is " + state.wireName() + "; " + why)
        .remedy("Look at the job: GET /v1/jobs/" + id)
        .with("state", state.wireName());
  }

  private static ProblemException noSuchLetter(String id) {
    return new ProblemException(
        Problem.of(404, "dead-letter-not-found", "There is no dead letter of a job " + id)
            .remedy("Look at the job: GET /v1/jobs/" + id));
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
