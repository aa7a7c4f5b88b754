package dev.millpond.server.http.events;

import dev.millpond.engine.query.Activity;
import dev.millpond.server.http.json.Json;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonGenerator;

/** Shows who does the maintenance. */
public final class LeaderWriter {
  private LeaderWriter() {}

  /** As {@code leader}; left out when nobody ever did. */
  public static void write(JsonGenerator out, Activity.@Nullable Leader leader) {
    if (leader == null) {
      return;
    }
    out.writeObjectPropertyStart("leader");
    out.writeStringProperty("process", leader.node().toString());
    out.writeNumberProperty("epoch", leader.epoch());
    out.writeBooleanProperty("held", leader.lease().isPositive());
    out.writeNumberProperty("leaseMillis", leader.lease().toMillis());
    Json.optional(out, "host", leader.host());
    if (leader.pid() != null) {
      out.writeNumberProperty("pid", leader.pid());
    }
    out.writeEndObject();
  }
}
