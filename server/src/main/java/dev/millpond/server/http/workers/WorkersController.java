package dev.millpond.server.http.workers;

import dev.millpond.engine.Millpond;
import dev.millpond.engine.access.Scope;
import dev.millpond.engine.fleet.DrainResult;
import dev.millpond.engine.fleet.RunningJob;
import dev.millpond.engine.fleet.WorkerView;
import dev.millpond.server.http.Answer;
import dev.millpond.server.http.PathId;
import dev.millpond.server.http.Query;
import dev.millpond.server.http.Remark;
import dev.millpond.server.http.RequestBody;
import dev.millpond.server.http.access.Caller;
import dev.millpond.server.http.access.Needs;
import dev.millpond.server.http.problem.Problem;
import dev.millpond.server.http.problem.ProblemException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.List;
import java.util.UUID;
import org.springframework.web.bind.annotation.DeleteMapping;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RestController;

/** Lists the workers of the fleet, and drains one of them. */
@RestController
public final class WorkersController {
  private final Millpond millpond;
  private final RequestBody body;

  public WorkersController(Millpond millpond, RequestBody body) {
    this.millpond = millpond;
    this.body = body;
  }

  /** All of them: their number is bounded, so there is one page. */
  @Needs(Scope.READ)
  @GetMapping("/v1/workers")
  public void list(HttpServletRequest request, HttpServletResponse response) throws IOException {
    Query.none(request);
    List<WorkerView> workers = millpond.workers().list();
    Answer.json(
            200,
            out -> {
              out.writeStartObject();
              out.writeArrayPropertyStart("items");
              workers.forEach(worker -> WorkerWriter.write(out, worker));
              out.writeEndArray();
              out.writeBooleanProperty("partial", false);
              out.writeEndObject();
            })
        .writeTo(response);
  }

  /** One worker, by the id of its session or of its process. */
  @Needs(Scope.READ)
  @GetMapping("/v1/workers/{id}")
  public void get(
      @PathVariable("id") String text, HttpServletRequest request, HttpServletResponse response)
      throws IOException {
    Query.none(request);
    WorkerView found = millpond.workers().find(id(text)).orElseThrow(() -> noSuchWorker(text));
    Answer.json(200, out -> WorkerWriter.write(out, found)).writeTo(response);
  }

  /** What it runs, as far as it takes longer than a moment. */
  @Needs(Scope.READ)
  @GetMapping("/v1/workers/{id}/jobs")
  public void jobs(
      @PathVariable("id") String text, HttpServletRequest request, HttpServletResponse response)
      throws IOException {
    Query.none(request);
    UUID id = id(text);
    if (millpond.workers().find(id).isEmpty()) {
      throw noSuchWorker(text);
    }
    Caller caller = Caller.of(request);
    List<RunningJob> jobs =
        millpond.workers().running(id).stream().filter(job -> caller.reaches(job.queue())).toList();
    Answer.json(
            200,
            out -> {
              out.writeStartObject();
              out.writeArrayPropertyStart("items");
              jobs.forEach(job -> WorkerWriter.running(out, job));
              out.writeEndArray();
              out.writeBooleanProperty("partial", false);
              out.writeEndObject();
            })
        .writeTo(response);
  }

  /** Has it take nothing more, until it is asked to resume or its process ends. */
  @Needs(Scope.OPERATE)
  @PostMapping("/v1/workers/{id}/drain")
  public void drain(
      @PathVariable("id") String text, HttpServletRequest request, HttpServletResponse response)
      throws IOException {
    Query.none(request);
    Caller.of(request).wholeFleet();
    Remark remark = Remark.read(request, body);
    answer(text, millpond.workers().drain(id(text), remark.by(), remark.reason()), response);
  }

  /** Lets it take jobs again. */
  @Needs(Scope.OPERATE)
  @DeleteMapping("/v1/workers/{id}/drain")
  public void resume(
      @PathVariable("id") String text, HttpServletRequest request, HttpServletResponse response)
      throws IOException {
    Query.none(request);
    RequestBody.none(request);
    Caller.of(request).wholeFleet();
    answer(text, millpond.workers().resume(id(text)), response);
  }

  private static void answer(String text, DrainResult result, HttpServletResponse response)
      throws IOException {
    switch (result) {
      case DrainResult.Asked(WorkerView worker) ->
          Answer.json(200, out -> WorkerWriter.write(out, worker)).writeTo(response);
      case DrainResult.Lost lost ->
          Problem.of(409, "worker-lost", "Worker " + text + " was lost; nothing was changed")
              .remedy("GET /v1/workers shows whether its process is back as another session")
              .writeTo(response);
      case DrainResult.Unknown unknown -> noSuchWorker(text).problem().writeTo(response);
    }
  }

  private static UUID id(String text) {
    return PathId.of(text).orElseThrow(() -> noSuchWorker(text));
  }

  private static ProblemException noSuchWorker(String id) {
    return new ProblemException(
        Problem.of(404, "worker-not-found", "There is no worker " + id)
            .remedy("GET /v1/workers lists them"));
  }
}
