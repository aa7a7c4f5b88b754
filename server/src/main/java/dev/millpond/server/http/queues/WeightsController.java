package dev.millpond.server.http.queues;

import dev.millpond.engine.Millpond;
import dev.millpond.engine.access.Scope;
import dev.millpond.engine.flow.FlowSettings;
import dev.millpond.server.http.Answer;
import dev.millpond.server.http.Query;
import dev.millpond.server.http.RequestBody;
import dev.millpond.server.http.access.Caller;
import dev.millpond.server.http.access.Needs;
import dev.millpond.server.http.access.Refusals;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.Collection;
import java.util.Map;
import org.springframework.web.bind.annotation.DeleteMapping;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PutMapping;
import org.springframework.web.bind.annotation.RestController;
import tools.jackson.core.JsonGenerator;

/**
 * The weights of a queue's priority classes against each other. All answers show what holds from
 * now on: {@code weights}, of which {@code set} for this queue, and otherwise {@code configured}.
 */
@RestController
public final class WeightsController {
  private final Millpond millpond;
  private final RequestBody body;

  public WeightsController(Millpond millpond, RequestBody body) {
    this.millpond = millpond;
    this.body = body;
  }

  /** The weights as this server knows them: a change made by another takes a moment. */
  @Needs(Scope.READ)
  @GetMapping("/v1/queues/{name}/weights")
  public void get(
      @PathVariable("name") String name, HttpServletRequest request, HttpServletResponse response)
      throws IOException {
    Query.none(request);
    Caller.of(request).queue(name);
    checkKnown(name);
    show(name, millpond.flow().settings(), response);
  }

  /** Sets them; classes that are left out get the configured ones. Makes the queue if need be. */
  @Needs(Scope.OPERATE)
  @PutMapping("/v1/queues/{name}/weights")
  public void put(
      @PathVariable("name") String name, HttpServletRequest request, HttpServletResponse response)
      throws IOException {
    Query.none(request);
    Caller.of(request).queue(name);
    Map<String, Integer> weights = SettingsReader.weights(body.json(request));
    show(name, millpond.flow().setWeights(name, weights), response);
  }

  /** Lets the configured ones hold again. */
  @Needs(Scope.OPERATE)
  @DeleteMapping("/v1/queues/{name}/weights")
  public void reset(
      @PathVariable("name") String name, HttpServletRequest request, HttpServletResponse response)
      throws IOException {
    Query.none(request);
    Caller.of(request).queue(name);
    RequestBody.none(request);
    checkKnown(name);
    show(name, millpond.flow().resetWeights(name), response);
  }

  private void checkKnown(String queue) {
    if (!millpond.flow().knows(queue)) {
      throw Refusals.noSuchQueue(queue);
    }
  }

  private static void show(String queue, FlowSettings settings, HttpServletResponse response)
      throws IOException {
    Collection<String> classes = settings.classes().names();
    Answer.json(
            200,
            out -> {
              out.writeStartObject();
              out.writeStringProperty("queue", queue);
              weights(out, "weights", classes, settings.classWeights(queue));
              weights(out, "set", classes, settings.queue(queue).weights());
              weights(out, "configured", classes, settings.classes().weights());
              out.writeEndObject();
            })
        .writeTo(response);
  }

  /** Those of the classes that have one, most urgent first. */
  private static void weights(
      JsonGenerator out, String name, Collection<String> classes, Map<String, Integer> weights) {
    out.writeObjectPropertyStart(name);
    for (String priorityClass : classes) {
      Integer weight = weights.get(priorityClass);
      if (weight != null) {
        out.writeNumberProperty(priorityClass, weight);
      }
    }
    out.writeEndObject();
  }
}
