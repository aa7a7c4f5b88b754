package dev.millpond.server.http.jobs;

import dev.millpond.api.IdempotencyConflictException;
import dev.millpond.api.InvalidJobException;
import dev.millpond.api.JobRequest;
import dev.millpond.api.Limits;
import dev.millpond.api.SubmitResult;
import dev.millpond.server.http.BodyLines;
import dev.millpond.server.http.RequestBody;
import dev.millpond.server.http.json.Json;
import dev.millpond.server.http.problem.Problem;
import dev.millpond.server.http.problem.ProblemException;
import dev.millpond.server.http.problem.Problems;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A batch of one job a line that is committed in chunks while it is read, with a receipt for each:
 * {@code {chunk,first,count,ids}}, and {@code replayed} when the chunk had been committed before.
 * The last line is {@code {done,jobs}}, or a problem with {@code chunk} and {@code index}; what the
 * receipts name stays committed. A problem before the first receipt is a plain answer.
 *
 * <p>A key of the request covers each chunk as {@code <key>#<chunk>}, so that the same body may be
 * sent again, with the same {@code commitEvery}, after a connection was cut. Used once.
 */
final class ChunkedBatch {
  /** Characters of a key, so that those of the chunks fit. */
  static final int KEY_CHARS = Limits.IDEMPOTENCY_KEY_CHARS - "#999999999".length();

  /** Commits the jobs of a chunk. */
  interface Submits {
    List<SubmitResult> submit(List<JobRequest> jobs, @Nullable String requestKey);
  }

  private final Submits submits;
  private final BodyLines lines;
  private final int commitEvery;
  private final Optional<String> key;
  private int chunk;
  private int first;

  ChunkedBatch(Submits submits, BodyLines lines, int commitEvery, Optional<String> key) {
    this.submits = submits;
    this.lines = lines;
    this.commitEvery = commitEvery;
    this.key = key;
  }

  void answer(HttpServletResponse response) throws IOException {
    try {
      List<JobRequest> jobs = read();
      if (jobs.isEmpty()) {
        throw new ProblemException(
            Problem.of(400, "batch-size", "The body has no job")
                .remedy("Send at least one line with a job"));
      }
      while (!jobs.isEmpty()) {
        receipt(response, commit(jobs));
        jobs = read();
      }
    } catch (RuntimeException | IOException e) {
      if (chunk == 0) {
        lines.passOver();
        throw e;
      }
      write(response, problem(e).body());
      lines.passOver();
      return;
    }
    write(
        response,
        Json.write(out -> {
          out.writeStartObject();
          out.writeBooleanProperty("done", true);
          out.writeNumberProperty("jobs", first);
          out.writeEndObject();
        }));
  }

  private Problem problem(Exception e) {
    Problem problem = Problems.of(e, "", true).with("chunk", chunk).with("jobs", first);
    return problem.members().containsKey("index") ? problem : problem.with("index", first);
  }

  private List<JobRequest> read() throws IOException {
    lines.newChunk();
    List<JobRequest> jobs = new ArrayList<>();
    while (jobs.size() < commitEvery) {
      byte[] line = lines.next();
      if (line == null) {
        break;
      }
      jobs.add(JobReader.line(line, first + jobs.size(), lines.number()));
    }
    return jobs;
  }

  private List<SubmitResult> commit(List<JobRequest> jobs) {
    try {
      return submits.submit(jobs, key.isPresent() ? key.get() + "#" + chunk : null);
    } catch (InvalidJobException e) {
      int index = first + Math.max(0, e.index());
      throw new ProblemException(Problems.invalidJob(e.at(index), null).with("index", index));
    } catch (IdempotencyConflictException e) {
      throw e.index() < 0 ? e : new IdempotencyConflictException(e.jobId(), first + e.index());
    }
  }

  private void receipt(HttpServletResponse response, List<SubmitResult> results)
      throws IOException {
    boolean anyNew = false;
    for (SubmitResult result : results) {
      if (result instanceof SubmitResult.Refused refused) {
        throw new ProblemException(Problems.refused(refused));
      }
      anyNew |= result instanceof SubmitResult.Accepted;
    }
    if (chunk == 0) {
      response.setStatus(202);
      response.setContentType(RequestBody.Type.NDJSON.mediaType());
    }
    boolean replayed = !anyNew;
    write(
        response,
        Json.write(out -> {
          out.writeStartObject();
          out.writeNumberProperty("chunk", chunk);
          out.writeNumberProperty("first", first);
          out.writeNumberProperty("count", results.size());
          if (replayed) {
            out.writeBooleanProperty("replayed", true);
          }
          out.writeArrayPropertyStart("ids");
          for (SubmitResult result : results) {
            switch (result) {
              case SubmitResult.Accepted accepted -> out.writeString(accepted.id().toString());
              case SubmitResult.Existing existing -> out.writeString(existing.id().toString());
              case SubmitResult.Refused refused ->
                  throw new IllegalStateException("Answered above: " + refused);
            }
          }
          out.writeEndArray();
          out.writeEndObject();
        }));
    chunk++;
    first += results.size();
  }

  private static void write(HttpServletResponse response, byte[] line) throws IOException {
    OutputStream out = response.getOutputStream();
    out.write(line);
    out.write('\n');
    response.flushBuffer();
  }
}
