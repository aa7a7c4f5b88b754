package dev.millpond.server.http.jobs;

import dev.millpond.engine.Millpond;
import dev.millpond.engine.access.Scope;
import dev.millpond.engine.query.JobFilter;
import dev.millpond.engine.query.LogLine;
import dev.millpond.server.http.Answer;
import dev.millpond.server.http.PathId;
import dev.millpond.server.http.Query;
import dev.millpond.server.http.access.Caller;
import dev.millpond.server.http.access.Needs;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.List;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RestController;
import tools.jackson.core.JsonGenerator;

/** Lists jobs by filters, and the lines that a job has logged. */
@RestController
public final class JobListController {
  private static final String FULL = "full";

  private final Millpond millpond;
  private final VisibleJob visible;

  public JobListController(Millpond millpond, VisibleJob visible) {
    this.visible = visible;
    this.millpond = millpond;
  }

  /**
   * A page of jobs that match the filters, newest first; in short, or whole with {@code
   * fields=full}.
   */
  @Needs(Scope.READ)
  @GetMapping("/v1/jobs")
  public void list(HttpServletRequest request, HttpServletResponse response) throws IOException {
    Query query = Query.of(request, JobParameter.names("fields"));
    String fields = query.find("fields").orElse(null);
    if (fields != null && !fields.equals(FULL)) {
      throw Query.invalid("fields", "must be " + FULL + ", is \"" + fields + '"');
    }
    JobFilter filter = JobParameter.filter(query).withWithin(Caller.of(request).queues());
    String cursor = query.find("cursor").orElse(null);
    int limit = query.limit();
    Answer answer =
        fields == null
            ? Answer.page(millpond.jobs(filter, cursor, limit), JobWriter::summary)
            : Answer.page(
                millpond.wholeJobs(filter, cursor, limit),
                (out, job) -> JobWriter.write(out, job, false));
    answer.writeTo(response);
  }

  /** Log lines of a job, oldest first. */
  @Needs(Scope.READ)
  @GetMapping("/v1/jobs/{id}/log")
  public void log(
      @PathVariable("id") String id, HttpServletRequest request, HttpServletResponse response)
      throws IOException {
    Query query = Query.of(request, List.of("after", "limit"));
    String after = query.find("after").orElse(null);
    int limit = query.limit();
    Answer.page(
            visible
                .of(request, id)
                .flatMap(job -> millpond.log(job, after, limit))
                .orElseThrow(() -> PathId.noSuchJob(id)),
            JobListController::line)
        .writeTo(response);
  }

  private static void line(JsonGenerator out, LogLine line) {
    out.writeStartObject();
    out.writeNumberProperty("leaseToken", line.leaseToken());
    out.writeNumberProperty("line", line.line());
    out.writeStringProperty("at", line.at().toString());
    out.writeStringProperty("text", line.text());
    out.writeEndObject();
  }
}
