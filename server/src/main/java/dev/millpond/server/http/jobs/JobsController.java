package dev.millpond.server.http.jobs;

import dev.millpond.api.JobRequest;
import dev.millpond.api.JobView;
import dev.millpond.api.SubmitResult;
import dev.millpond.engine.Millpond;
import dev.millpond.engine.access.Scope;
import dev.millpond.server.http.Answer;
import dev.millpond.server.http.ClientWatch;
import dev.millpond.server.http.PathId;
import dev.millpond.server.http.Query;
import dev.millpond.server.http.RequestBody;
import dev.millpond.server.http.access.Caller;
import dev.millpond.server.http.access.Needs;
import dev.millpond.server.http.json.Json;
import dev.millpond.server.http.problem.Problem;
import dev.millpond.server.http.problem.ProblemException;
import dev.millpond.server.http.problem.Problems;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RestController;
import tools.jackson.core.JsonGenerator;

/** Takes jobs one by one, and shows them. An answer to a submit follows its commit. */
@RestController
public final class JobsController {
  /** Where jobs are submitted one by one. */
  public static final String PATH = "/v1/jobs";

  private static final int ETAG_BYTES = 12;

  private final Millpond millpond;
  private final RequestBody body;
  private final ClientWatch clients;

  public JobsController(Millpond millpond, RequestBody body, ClientWatch clients) {
    this.millpond = millpond;
    this.body = body;
    this.clients = clients;
  }

  /**
   * Submits one job. 202 for a new one; for one that the idempotency key has submitted before, 200
   * when it has ended and 202 while it has not, with the job as it is now. Whoever may not read
   * jobs is told what the first submit was told.
   */
  @Needs(Scope.SUBMIT)
  @PostMapping(PATH)
  public void submit(HttpServletRequest request, HttpServletResponse response) throws IOException {
    int wait = WaitParameter.seconds(Query.of(request, List.of(WaitParameter.NAME)));
    Optional<String> key = KeyHeader.of(request);
    JobRequest plain = JobReader.one(body.json(request));
    JobRequest job = key.isPresent() ? withKey(plain, key.get()) : plain;
    Caller.of(request).queue(job.queue());
    SubmitResult result =
        WaitParameter.submit(request, clients, wait, options -> millpond.submit(job, options));
    switch (result) {
      case SubmitResult.Accepted accepted -> {
        response.setHeader("Location", location(accepted.id()));
        Instant start = accepted.estimatedStartAt();
        String item =
            "{\"id\":\""
                + accepted.id()
                + (start == null ? "\"}" : "\",\"estimatedStartAt\":\"" + start + "\"}");
        new Answer(202, "application/json", item.getBytes(StandardCharsets.US_ASCII))
            .writeTo(response);
      }
      case SubmitResult.Existing existing -> replay(existing.id(), request, response);
      case SubmitResult.Refused refused -> Problems.refused(refused).writeTo(response);
    }
  }

  /** One job with its attempts. */
  @Needs(Scope.READ)
  @GetMapping("/v1/jobs/{id}")
  public void get(
      @PathVariable("id") String id, HttpServletRequest request, HttpServletResponse response)
      throws IOException {
    Query.none(request);
    JobView job =
        Caller.of(request)
            .see(PathId.of(id).flatMap(millpond::find), found -> found.request().queue())
            .orElseThrow(() -> PathId.noSuchJob(id));
    show(job, response);
  }

  /** Shows a job with its ETag. */
  static void show(JobView job, HttpServletResponse response) throws IOException {
    byte[] bytes = bytes(job);
    response.setHeader("ETag", etag(bytes));
    new Answer(200, "application/json", bytes).writeTo(response);
  }

  static byte[] bytes(JobView job) {
    return Json.write(out -> JobWriter.write(out, job, false));
  }

  /** A strong tag: another one for each byte that differs. */
  static String etag(byte[] shown) {
    try {
      byte[] hash = MessageDigest.getInstance("SHA-256").digest(shown);
      return '"' + HexFormat.of().formatHex(hash, 0, ETAG_BYTES) + '"';
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }

  private void replay(UUID id, HttpServletRequest request, HttpServletResponse response)
      throws IOException {
    response.setHeader("Location", location(id));
    response.setHeader(KeyHeader.REPLAYED, "true");
    if (!Caller.of(request).may(Scope.READ)) {
      Answer.json(202, out -> item(out, id, true)).writeTo(response);
      return;
    }
    Optional<JobView> found = millpond.find(id);
    if (found.isEmpty()) {
      Answer.json(200, out -> item(out, id, true)).writeTo(response);
      return;
    }
    JobView job = found.get();
    Answer.json(job.state().ended() ? 200 : 202, out -> JobWriter.write(out, job, true))
        .writeTo(response);
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
                      "differs from the header " + KeyHeader.NAME,
                      -1))));
    }
    return job.withOptions(job.options().withIdempotencyKey(key));
  }

  static void item(JsonGenerator out, UUID id, boolean existing) {
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
