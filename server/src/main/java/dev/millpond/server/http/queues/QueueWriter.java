package dev.millpond.server.http.queues;

import dev.millpond.engine.admission.Watermarks.Mark;
import dev.millpond.engine.flow.Pause;
import dev.millpond.engine.query.QueueView;
import dev.millpond.server.http.json.Json;
import tools.jackson.core.JsonGenerator;

/** Shows a queue. */
public final class QueueWriter {
  private QueueWriter() {}

  public static void write(JsonGenerator out, QueueView queue) {
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
