package dev.millpond.server.http.queues;

import dev.millpond.engine.Millpond;
import dev.millpond.engine.query.QueueView;
import dev.millpond.server.http.Answer;
import dev.millpond.server.http.Query;
import dev.millpond.server.http.RequestBody;
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
              queues.forEach(queue -> QueueWriter.write(out, queue));
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
    Answer.json(200, out -> QueueWriter.write(out, found)).writeTo(response);
  }

  static ProblemException noSuchQueue(String name) {
    return new ProblemException(
        Problem.of(404, "queue-not-found", "There is no queue " + name)
            .remedy("GET /v1/queues lists them; a queue comes with its first job or setting"));
  }
}
