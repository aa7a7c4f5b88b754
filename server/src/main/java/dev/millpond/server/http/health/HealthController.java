package dev.millpond.server.http.health;

import dev.millpond.engine.access.Scope;
import dev.millpond.engine.query.Health;
import dev.millpond.server.config.AccessConfig;
import dev.millpond.server.http.Answer;
import dev.millpond.server.http.Query;
import dev.millpond.server.http.access.Caller;
import dev.millpond.server.http.access.NeedsNoKey;
import dev.millpond.server.http.json.Json;
import dev.millpond.server.metrics.Exposition;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.Locale;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/** Every role answers these: alive, ready, and what there is to count. */
@RestController
public final class HealthController {
  private final Readiness readiness;
  private final Exposition exposition;
  private final AccessConfig access;

  public HealthController(Readiness readiness, Exposition exposition, AccessConfig access) {
    this.access = access;
    this.readiness = readiness;
    this.exposition = exposition;
  }

  /** 200 as long as the process can answer at all. */
  @NeedsNoKey
  @GetMapping("/health/live")
  public void live(HttpServletRequest request, HttpServletResponse response) throws IOException {
    Query.none(request);
    Answer.json(
            200,
            out -> {
              out.writeStartObject();
              out.writeStringProperty("status", "up");
              out.writeEndObject();
            })
        .writeTo(response);
  }

  /**
   * 200 when the process should get traffic, else 503; the components say why to whoever may read:
   * what PostgreSQL's driver says names hosts and users.
   */
  @NeedsNoKey
  @GetMapping("/health/ready")
  public void ready(HttpServletRequest request, HttpServletResponse response) throws IOException {
    Query.none(request);
    Readiness.Phase phase = readiness.phase();
    Health health = readiness.health();
    boolean details = Caller.of(request).may(Scope.READ);
    boolean ready = phase == Readiness.Phase.SERVING && health.ready();
    Json.Body body =
        out -> {
          out.writeStartObject();
          out.writeStringProperty("status", ready ? "up" : "down");
          out.writeStringProperty("phase", phase.name().toLowerCase(Locale.ROOT));
          out.writeArrayPropertyStart("components");
          for (Health.Component component : health.components()) {
            out.writeStartObject();
            out.writeStringProperty("name", component.name());
            out.writeStringProperty("status", component.up() ? "up" : "down");
            out.writeBooleanProperty("needed", component.needed());
            if (details) {
              out.writeStringProperty("detail", component.detail());
            }
            out.writeEndObject();
          }
          out.writeEndArray();
          out.writeEndObject();
        };
    Answer.json(ready ? 200 : 503, body).writeTo(response);
  }

  /** All metrics as Prometheus text. They name queues: a key that is bound to some gets none. */
  @NeedsNoKey
  @GetMapping("/metrics")
  public void metrics(HttpServletRequest request, HttpServletResponse response) throws IOException {
    if (!access.metricsOpen()) {
      Caller caller = Caller.of(request);
      caller.need(Scope.READ);
      caller.wholeFleet();
    }
    Query.none(request);
    new Answer(200, Exposition.TYPE, exposition.text()).writeTo(response);
  }
}
