package dev.millpond.server.http.jobs;

import dev.millpond.api.CancelResult;
import dev.millpond.api.JobState;
import dev.millpond.api.JobView;
import dev.millpond.api.SteerResult;
import dev.millpond.engine.Millpond;
import dev.millpond.engine.access.Scope;
import dev.millpond.engine.query.Change;
import dev.millpond.server.http.Answer;
import dev.millpond.server.http.PathId;
import dev.millpond.server.http.Query;
import dev.millpond.server.http.RequestBody;
import dev.millpond.server.http.access.Needs;
import dev.millpond.server.http.problem.Problem;
import dev.millpond.server.http.problem.ProblemException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.UUID;
import org.springframework.web.bind.annotation.PatchMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RestController;

/** Cancels jobs, runs them now, and changes those that have not started. */
@RestController
public final class SteerController {
  private static final List<String> CHANGEABLE = List.of("priorityClass", "runAt", "delay");

  private final Millpond millpond;
  private final RequestBody body;
  private final VisibleJob visible;

  public SteerController(Millpond millpond, RequestBody body, VisibleJob visible) {
    this.visible = visible;
    this.millpond = millpond;
    this.body = body;
  }

  /** Cancels. A job that may run already is told to stop, and ends when it has. */
  @Needs(Scope.OPERATE)
  @PostMapping("/v1/jobs/{id}/cancel")
  public void cancel(
      @PathVariable("id") String text, HttpServletRequest request, HttpServletResponse response)
      throws IOException {
    Query.none(request);
    RequestBody.none(request);
    UUID id = visible.of(request, text).orElseThrow(() -> PathId.noSuchJob(text));
    switch (millpond.cancel(id)) {
      case CancelResult.Cancelled cancelled ->
          cancelled(id, JobState.CANCELLED, false).writeTo(response);
      case CancelResult.Requested requested ->
          cancelled(id, millpond.find(id).map(JobView::state).orElse(JobState.RUNNING), true)
              .writeTo(response);
      case CancelResult.WrongState wrong ->
          wrongState(id, wrong.state(), "cannot be cancelled").writeTo(response);
      case CancelResult.NotFound missing -> PathId.noSuchJob(text).problem().writeTo(response);
    }
  }

  /** Lets a job that waits for its time run now. */
  @Needs(Scope.OPERATE)
  @PostMapping("/v1/jobs/{id}/run-now")
  public void runNow(
      @PathVariable("id") String text, HttpServletRequest request, HttpServletResponse response)
      throws IOException {
    Query.none(request);
    RequestBody.none(request);
    UUID id = visible.of(request, text).orElseThrow(() -> PathId.noSuchJob(text));
    answer(id, millpond.runNow(id), response);
  }

  /**
   * Changes run time and priority class of a job that has not started, all or nothing. With {@code
   * If-Match} only if the job is still as it was shown.
   */
  @Needs(Scope.OPERATE)
  @PatchMapping("/v1/jobs/{id}")
  public void change(
      @PathVariable("id") String text, HttpServletRequest request, HttpServletResponse response)
      throws IOException {
    Query.none(request);
    UUID id = visible.of(request, text).orElseThrow(() -> PathId.noSuchJob(text));
    JobReader.Edit edit = JobReader.edit(body.json(request), CHANGEABLE);
    checkMatch(request, id);
    answer(id, millpond.change(id, new Change(edit.priorityClass(), edit.start())), response);
  }

  private void answer(UUID id, SteerResult result, HttpServletResponse response)
      throws IOException {
    switch (result) {
      case SteerResult.Done done -> {
        JobView job = millpond.find(id).orElseThrow(() -> PathId.noSuchJob(id.toString()));
        JobsController.show(job, response);
      }
      case SteerResult.WrongState wrong ->
          wrongState(id, wrong.state(), "only a job that has not started can be changed")
              .writeTo(response);
      case SteerResult.OnItsWay onItsWay ->
          Problem.of(
                  409,
                  "on-its-way",
                  "Job " + id + " is on its way, a worker may have it; nothing was changed")
              .remedy("Look at the job, cancel it, or try again when it waits for a retry")
              .with("state", JobState.RUNNABLE.wireName())
              .writeTo(response);
      case SteerResult.NotFound missing ->
          PathId.noSuchJob(id.toString()).problem().writeTo(response);
    }
  }

  /** Compares with the job of this moment; the change itself is guarded by the job's state. */
  private void checkMatch(HttpServletRequest request, UUID id) {
    List<String> given = Collections.list(request.getHeaders("If-Match"));
    if (given.isEmpty()) {
      return;
    }
    JobView job = millpond.find(id).orElseThrow(() -> PathId.noSuchJob(id.toString()));
    String actual = JobsController.etag(JobsController.bytes(job));
    boolean match =
        given.stream()
            .flatMap(line -> Arrays.stream(line.split(",", -1)))
            .map(String::strip)
            .anyMatch(tag -> tag.equals("*") || tag.equals(actual));
    if (!match) {
      throw new ProblemException(
          Problem.of(
                  412, "precondition-failed", "Job " + id + " is not as If-Match says; it changed")
              .remedy("Get the job again, and send its ETag as If-Match")
              .header("ETag", actual));
    }
  }

  private static Problem wrongState(UUID id, JobState state, String why) {
    return Problem.of(409, "wrong-state", "Job " + id + " is " + state.wireName() + "; " + why)
        .remedy("Look at the job: GET /v1/jobs/" + id)
        .with("state", state.wireName());
  }

  private static Answer cancelled(UUID id, JobState state, boolean running) {
    return Answer.json(
        200,
        out -> {
          out.writeStartObject();
          out.writeStringProperty("id", id.toString());
          out.writeStringProperty("state", state.wireName());
          out.writeBooleanProperty("running", running);
          out.writeEndObject();
        });
  }
}
