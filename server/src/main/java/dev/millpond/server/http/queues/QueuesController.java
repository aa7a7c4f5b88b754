package dev.millpond.server.http.queues;

import dev.millpond.engine.Millpond;
import dev.millpond.engine.access.Scope;
import dev.millpond.engine.query.QueueView;
import dev.millpond.server.http.Answer;
import dev.millpond.server.http.Query;
import dev.millpond.server.http.RequestBody;
import dev.millpond.server.http.access.Caller;
import dev.millpond.server.http.access.Needs;
import dev.millpond.server.http.access.Refusals;
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
  @Needs(Scope.READ)
  @GetMapping("/v1/queues")
  public void list(HttpServletRequest request, HttpServletResponse response) throws IOException {
    Query.none(request);
    Caller caller = Caller.of(request);
    List<QueueView> queues =
        millpond.queues().stream().filter(queue -> caller.reaches(queue.name())).toList();
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
  @Needs(Scope.READ)
  @GetMapping("/v1/queues/{name}")
  public void get(
      @PathVariable("name") String name, HttpServletRequest request, HttpServletResponse response)
      throws IOException {
    Query.none(request);
    Caller.of(request).queue(name);
    show(name, response);
  }

  /** Sets what is given, {@code null} for the default. Makes the queue if need be. */
  @Needs(Scope.OPERATE)
  @PatchMapping("/v1/queues/{name}")
  public void change(
      @PathVariable("name") String name, HttpServletRequest request, HttpServletResponse response)
      throws IOException {
    Query.none(request);
    Caller.of(request).queue(name);
    millpond.flow().changeQueue(name, SettingsReader.change(body.json(request)));
    show(name, response);
  }

  private void show(String name, HttpServletResponse response) throws IOException {
    QueueView found =
        millpond.queues().stream()
            .filter(queue -> queue.name().equals(name))
            .findFirst()
            .orElseThrow(() -> Refusals.noSuchQueue(name));
    Answer.json(200, out -> QueueWriter.write(out, found)).writeTo(response);
  }
}
