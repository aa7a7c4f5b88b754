package dev.millpond.server.http.queues;

import dev.millpond.engine.Millpond;
import dev.millpond.engine.admission.Watermarks.Mark;
import dev.millpond.engine.flow.Pause;
import dev.millpond.engine.query.QueueView;
import dev.millpond.server.http.Answer;
import dev.millpond.server.http.Query;
import dev.millpond.server.http.RequestBody;
import dev.millpond.server.http.json.Json;
import dev.millpond.server.http.problem.Problem;
import dev.millpond.server.http.problem.ProblemException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.List;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PatchMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RestController;
import tools.jackson.core.JsonGenerator;

/** Lists the queues with their depths as last counted, and changes their settings. */
@RestController
public final class QueuesController {
  private final Millpond millpond;
  private final RequestBody body;

  public QueuesController(Millpond millpond, RequestBody body) {
    this.millpond = millpond;
    this.body = body;
  }

  /** All queues: their number is bounded, so there is one page. */
  @GetMapping("/v1/queues")
  public void list(HttpServletRequest request, HttpServletResponse response) throws IOException {
    Query.none(request);
    List<QueueView> queues = millpond.queues();
    Answer.json(
            200,
            out -> {
              out.writeStartObject();
              out.writeArrayPropertyStart("items");
              queues.forEach(queue -> queue(out, queue));
              out.writeEndArray();
              out.writeBooleanProperty("partial", false);
              out.writeEndObject();
            })
        .writeTo(response);
  }

  /** One queue. */
  @GetMapping("/v1/queues/{name}")
  public void get(
      @PathVariable("name") String name, HttpServletRequest request, HttpServletResponse response)
      throws IOException {
    Query.none(request);
    show(name, response);
  }

  /** Sets what is given, {@code null} for the default. Makes the queue if need be. */
  @PatchMapping("/v1/queues/{name}")
  public void change(
      @PathVariable("name") String name, HttpServletRequest request, HttpServletResponse response)
      throws IOException {
    Query.none(request);
    millpond.flow().changeQueue(name, SettingsReader.change(body.json(request)));
    show(name, response);
  }

  private void show(String name, HttpServletResponse response) throws IOException {
    QueueView found =
        millpond.queues().stream()
            .filter(queue -> queue.name().equals(name))
            .findFirst()
            .orElseThrow(() -> noSuchQueue(name));
    Answer.json(200, out -> queue(out, found)).writeTo(response);
  }

  static ProblemException noSuchQueue(String name) {
    return new ProblemException(
        Problem.of(404, "queue-not-found", "There is no queue " + name)
            .remedy("GET /v1/queues lists them; a queue comes with its first job or setting"));
  }

  private static void queue(JsonGenerator out, QueueView queue) {
    out.writeStartObject();
    out.writeStringProperty("name", queue.name());
    out.writeNumberProperty("depth", queue.depth());
    out.writeNumberProperty("payloadBytes", queue.payloadBytes());
    out.writeNumberProperty("scheduled", queue.scheduled());
    out.writeNumberProperty("dead", queue.dead());
    out.writeNumberProperty("oldestAgeMillis", queue.oldestAgeMillis());
    out.writeNumberProperty("weight", queue.weight());
    Json.optional(out, "aging", queue.aging());
    Mark jobs = queue.watermarks().jobs();
    if (jobs.marked()) {
      out.writeNumberProperty("highWatermark", jobs.high());
      out.writeNumberProperty("lowWatermark", jobs.low());
    }
    Mark bytes = queue.watermarks().bytes();
    if (bytes.marked()) {
      out.writeNumberProperty("highWatermarkMib", bytes.highMib());
      out.writeNumberProperty("lowWatermarkMib", bytes.lowMib());
    }
    out.writeStringProperty("gate", queue.closed() ? "closed" : "open");
    out.writeNumberProperty("drainPerSecond", Math.round(queue.drainPerSecond() * 10) / 10.0);
    Pause pause = queue.pause();
    if (pause != null) {
      out.writeObjectPropertyStart("paused");
      PausesController.words(out, pause);
      out.writeEndObject();
    }
    out.writeArrayPropertyStart("classes");
    for (QueueView.ClassDepth depth : queue.classes()) {
      out.writeStartObject();
      out.writeStringProperty("priorityClass", depth.priorityClass());
      out.writeNumberProperty("depth", depth.depth());
      out.writeNumberProperty("weight", depth.weight());
      out.writeEndObject();
    }
    out.writeEndArray();
    out.writeEndObject();
  }
}
