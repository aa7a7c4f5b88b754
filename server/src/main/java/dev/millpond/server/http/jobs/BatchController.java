package dev.millpond.server.http.jobs;

import dev.millpond.api.InvalidJobException;
import dev.millpond.api.JobRequest;
import dev.millpond.api.SubmitResult;
import dev.millpond.engine.JobLimits;
import dev.millpond.engine.Millpond;
import dev.millpond.engine.access.Scope;
import dev.millpond.server.http.Answer;
import dev.millpond.server.http.BodyLines;
import dev.millpond.server.http.ClientWatch;
import dev.millpond.server.http.Query;
import dev.millpond.server.http.RequestBody;
import dev.millpond.server.http.access.Caller;
import dev.millpond.server.http.access.Needs;
import dev.millpond.server.http.json.Json;
import dev.millpond.server.http.problem.ProblemException;
import dev.millpond.server.http.problem.Problems;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RestController;

/**
 * Takes jobs in batches: a JSON list, an object with the list {@code jobs}, or one job a line. All
 * of a batch is committed at once or nothing, unless the caller asks for chunks.
 */
@RestController
public final class BatchController {
  /** Where batches are submitted. */
  public static final String PATH = "/v1/jobs/batch";

  private static final String COMMIT_EVERY = "commitEvery";

  private final Millpond millpond;
  private final RequestBody body;
  private final ClientWatch clients;
  private final int most;

  public BatchController(
      Millpond millpond, RequestBody body, ClientWatch clients, JobLimits limits) {
    this.millpond = millpond;
    this.body = body;
    this.clients = clients;
    this.most = limits.batchJobs();
  }

  /**
   * Submits a batch. 202 when at least one job is new, else 200; the answers are in the order of
   * the jobs. With {@code commitEvery} the answer is a stream of receipts, see {@link
   * ChunkedBatch}.
   */
  @Needs(Scope.SUBMIT)
  @PostMapping(PATH)
  public void submit(HttpServletRequest request, HttpServletResponse response) throws IOException {
    Query query = Query.of(request, List.of(COMMIT_EVERY, WaitParameter.NAME));
    int wait = WaitParameter.seconds(query);
    OptionalInt commitEvery = query.number(COMMIT_EVERY, 1, most);
    RequestBody.Type type =
        RequestBody.type(request, RequestBody.Type.JSON, RequestBody.Type.NDJSON);
    if (commitEvery.isPresent()) {
      if (type != RequestBody.Type.NDJSON) {
        throw Query.invalid(
            COMMIT_EVERY, "goes with " + RequestBody.Type.NDJSON.mediaType() + " only");
      }
      Optional<String> key = KeyHeader.of(request, ChunkedBatch.KEY_CHARS);
      ChunkedBatch.Submits submits =
          (jobs, requestKey) ->
              WaitParameter.submit(
                  request,
                  clients,
                  wait,
                  options ->
                      millpond.submit(within(request, jobs), options.withRequestKey(requestKey)));
      new ChunkedBatch(submits, body.chunkedLines(request), commitEvery.getAsInt(), key)
          .answer(response);
      return;
    }
    Optional<String> key = KeyHeader.of(request);
    if (type == RequestBody.Type.JSON) {
      JobReader.Batch batch = JobReader.batch(body.json(request), most);
      submit(request, wait, batch.jobs(), key, batch.prefix(), response);
    } else {
      submit(request, wait, readLines(body.lines(request)), key, null, response);
    }
  }

  /** The same jobs, all of queues that are there for the caller. */
  private static List<JobRequest> within(HttpServletRequest request, List<JobRequest> jobs) {
    Caller caller = Caller.of(request);
    for (int i = 0; i < jobs.size(); i++) {
      caller.queue(jobs.get(i).queue(), i);
    }
    return jobs;
  }

  private List<JobRequest> readLines(BodyLines lines) throws IOException {
    List<JobRequest> jobs = new ArrayList<>();
    try {
      for (byte[] line = lines.next(); line != null; line = lines.next()) {
        if (jobs.size() == most) {
          throw JobReader.batchSize(most);
        }
        jobs.add(JobReader.line(line, jobs.size(), lines.number()));
      }
    } catch (ProblemException e) {
      lines.passOver();
      throw e;
    }
    if (jobs.isEmpty()) {
      throw JobReader.batchSize(most);
    }
    return jobs;
  }

  private void submit(
      HttpServletRequest request,
      int wait,
      List<JobRequest> jobs,
      Optional<String> key,
      @Nullable String prefix,
      HttpServletResponse response)
      throws IOException {
    List<SubmitResult> results;
    try {
      results =
          WaitParameter.submit(
              request,
              clients,
              wait,
              options ->
                  millpond.submit(within(request, jobs), options.withRequestKey(key.orElse(null))));
    } catch (InvalidJobException e) {
      Problems.invalidJob(jobs.size() == 1 ? e.at(0) : e, prefix).writeTo(response);
      return;
    }
    boolean anyNew = false;
    for (SubmitResult result : results) {
      if (result instanceof SubmitResult.Refused refused) {
        Problems.refused(refused).writeTo(response);
        return;
      }
      anyNew |= result instanceof SubmitResult.Accepted;
    }
    if (!anyNew) {
      response.setHeader(KeyHeader.REPLAYED, "true");
    }
    Answer.json(
            anyNew ? 202 : 200,
            out -> {
              out.writeStartObject();
              if (results.getFirst() instanceof SubmitResult.Accepted first) {
                Json.optional(out, "estimatedStartAt", first.estimatedStartAt());
              }
              out.writeArrayPropertyStart("jobs");
              for (SubmitResult result : results) {
                switch (result) {
                  case SubmitResult.Accepted accepted ->
                      JobsController.item(out, accepted.id(), false);
                  case SubmitResult.Existing existing ->
                      JobsController.item(out, existing.id(), true);
                  case SubmitResult.Refused refused ->
                      throw new IllegalStateException("Answered above: " + refused);
                }
              }
              out.writeEndArray();
              out.writeEndObject();
            })
        .writeTo(response);
  }
}
