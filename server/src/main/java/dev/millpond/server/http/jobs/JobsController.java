package dev.millpond.server.http.jobs;

import dev.millpond.api.JobRequest;
import dev.millpond.api.JobView;
import dev.millpond.api.Limits;
import dev.millpond.api.SubmitResult;
import dev.millpond.engine.Millpond;
import dev.millpond.server.http.Answer;
import dev.millpond.server.http.PathId;
import dev.millpond.server.http.Query;
import dev.millpond.server.http.RequestBody;
import dev.millpond.server.http.problem.Problem;
import dev.millpond.server.http.problem.ProblemException;
import dev.millpond.server.http.problem.Problems;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RestController;
import tools.jackson.core.JsonGenerator;

/** Takes jobs, one or a batch, and shows them. An answer to a submit follows its commit. */
@RestController
public final class JobsController {
  private static final String KEY_HEADER = "Idempotency-Key";
  private static final String REPLAYED_HEADER = "Idempotency-Replayed";

  private final Millpond millpond;

  public JobsController(Millpond millpond) {
    this.millpond = millpond;
  }

  /**
   * Submits one job. 202 for a new one; for one that the idempotency key has submitted before, 200
   * when it has ended and 202 while it has not, with the job as it is now.
   */
  @PostMapping("/v1/jobs")
  public void submit(HttpServletRequest request, HttpServletResponse response) throws IOException {
    Query.none(request);
    Optional<String> key = idempotencyKey(request);
    JobRequest job = JobReader.one(RequestBody.read(request));
    if (key.isPresent()) {
      job = withKey(job, key.get());
    }
    switch (millpond.submit(job)) {
      case SubmitResult.Accepted accepted -> {
        response.setHeader("Location", location(accepted.id()));
        Answer.json(202, out -> item(out, accepted.id(), false)).writeTo(response);
      }
      case SubmitResult.Existing existing -> replay(existing.id(), response);
      case SubmitResult.Refused refused -> Problems.refused(refused).writeTo(response);
    }
  }

  /**
   * Submits a batch in one transaction, all or none. 202 when at least one job is new, else 200;
   * the answers are in the order of the jobs.
   */
  @PostMapping("/v1/jobs/batch")
  public void submitBatch(HttpServletRequest request, HttpServletResponse response)
      throws IOException {
    Query.none(request);
    if (request.getHeader(KEY_HEADER) != null) {
      throw new ProblemException(
          Problem.of(400, "invalid-header", KEY_HEADER + " is not taken for a batch")
              .remedy("Give each job of the batch its own idempotencyKey"));
    }
    List<JobRequest> jobs = JobReader.batch(RequestBody.read(request));
    List<SubmitResult> results = millpond.submit(jobs);
    boolean anyNew = false;
    for (SubmitResult result : results) {
      if (result instanceof SubmitResult.Refused refused) {
        Problems.refused(refused).writeTo(response);
        return;
      }
      anyNew |= result instanceof SubmitResult.Accepted;
    }
    if (!anyNew) {
      response.setHeader(REPLAYED_HEADER, "true");
    }
    Answer.json(
            anyNew ? 202 : 200,
            out -> {
              out.writeStartObject();
              out.writeArrayPropertyStart("jobs");
              for (SubmitResult result : results) {
                switch (result) {
                  case SubmitResult.Accepted accepted -> item(out, accepted.id(), false);
                  case SubmitResult.Existing existing -> item(out, existing.id(), true);
                  case SubmitResult.Refused refused ->
                      throw new IllegalStateException("Answered above: " + refused);
                }
              }
              out.writeEndArray();
              out.writeEndObject();
            })
        .writeTo(response);
  }

  /** One job with its attempts. */
  @GetMapping("/v1/jobs/{id}")
  public void get(
      @PathVariable("id") String id, HttpServletRequest request, HttpServletResponse response)
      throws IOException {
    Query.none(request);
    JobView job = PathId.of(id).flatMap(millpond::find).orElseThrow(() -> PathId.noSuchJob(id));
    Answer.json(200, out -> JobWriter.write(out, job, false)).writeTo(response);
  }

  private void replay(UUID id, HttpServletResponse response) throws IOException {
    response.setHeader("Location", location(id));
    response.setHeader(REPLAYED_HEADER, "true");
    Optional<JobView> found = millpond.find(id);
    if (found.isEmpty()) {
      Answer.json(200, out -> item(out, id, true)).writeTo(response);
      return;
    }
    JobView job = found.get();
    Answer.json(job.state().ended() ? 200 : 202, out -> JobWriter.write(out, job, true))
        .writeTo(response);
  }

  private static Optional<String> idempotencyKey(HttpServletRequest request) {
    String key = request.getHeader(KEY_HEADER);
    if (key == null) {
      return Optional.empty();
    }
    if (Collections.list(request.getHeaders(KEY_HEADER)).size() > 1) {
      throw badKey(KEY_HEADER + " is given more than once");
    }
    if (key.isEmpty() || key.length() > Limits.IDEMPOTENCY_KEY_CHARS) {
      throw badKey(
          KEY_HEADER
              + " must have 1 to "
              + Limits.IDEMPOTENCY_KEY_CHARS
              + " characters, has "
              + key.length());
    }
    return Optional.of(key);
  }

  private static JobRequest withKey(JobRequest job, String key) {
    String own = job.options().idempotencyKey();
    if (own != null && !own.equals(key)) {
      throw new ProblemException(
          Problem.fields(
              List.of(
                  new Problem.FieldError(
                      "/idempotencyKey",
                      "conflict",
                      "differs from the header " + KEY_HEADER,
                      -1))));
    }
    return job.withOptions(job.options().withIdempotencyKey(key));
  }

  private static ProblemException badKey(String detail) {
    return new ProblemException(Problem.of(400, "invalid-header", detail));
  }

  private static void item(JsonGenerator out, UUID id, boolean existing) {
    out.writeStartObject();
    out.writeStringProperty("id", id.toString());
    if (existing) {
      out.writeBooleanProperty("existing", true);
    }
    out.writeEndObject();
  }

  private static String location(UUID id) {
    return "/v1/jobs/" + id;
  }
}
