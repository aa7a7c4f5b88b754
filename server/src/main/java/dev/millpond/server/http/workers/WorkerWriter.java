package dev.millpond.server.http.workers;

import dev.millpond.engine.fleet.DrainOrder;
import dev.millpond.engine.fleet.RunningJob;
import dev.millpond.engine.fleet.WorkerView;
import dev.millpond.server.http.json.Json;
import java.util.Locale;
import tools.jackson.core.JsonGenerator;

/** Shows a worker. */
public final class WorkerWriter {
  private WorkerWriter() {}

  public static void write(JsonGenerator out, WorkerView worker) {
    out.writeStartObject();
    out.writeStringProperty("id", worker.id().toString());
    out.writeStringProperty("process", worker.process().toString());
    out.writeStringProperty("host", worker.host());
    out.writeNumberProperty("pid", worker.pid());
    out.writeStringProperty("state", worker.state().name().toLowerCase(Locale.ROOT));
    out.writeNumberProperty("slots", worker.slots());
    out.writeNumberProperty("busy", worker.busy());
    out.writeArrayPropertyStart("kinds");
    worker.kinds().forEach(out::writeString);
    out.writeEndArray();
    out.writeArrayPropertyStart("shards");
    worker.shards().forEach(out::writeNumber);
    out.writeEndArray();
    Json.optional(out, "startedAt", worker.startedAt());
    out.writeNumberProperty("sinceBeatMillis", worker.sinceBeat().toMillis());
    out.writeNumberProperty("leaseMillis", worker.lease().toMillis());
    DrainOrder drain = worker.drain();
    if (drain != null) {
      out.writeObjectPropertyStart("drain");
      Json.optional(out, "askedAt", drain.askedAt());
      Json.optional(out, "by", drain.by());
      Json.optional(out, "reason", drain.reason());
      out.writeEndObject();
    }
    out.writeEndObject();
  }

  /** Shows a job that a worker runs. */
  static void running(JsonGenerator out, RunningJob job) {
    out.writeStartObject();
    out.writeStringProperty("id", job.id().toString());
    out.writeStringProperty("kind", job.kind());
    out.writeStringProperty("queue", job.queue());
    out.writeStringProperty("priorityClass", job.priorityClass());
    out.writeNumberProperty("attempt", job.attempt());
    Json.optional(out, "startedAt", job.startedAt());
    Json.optional(out, "seenAt", job.seenAt());
    Json.optional(out, "deadline", job.deadline());
    Json.optional(out, "percent", job.percent());
    out.writeBooleanProperty("cancelling", job.cancelling());
    out.writeEndObject();
  }
}
