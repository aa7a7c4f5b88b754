package dev.millpond.server.http.events;

import dev.millpond.engine.query.Activity;
import dev.millpond.engine.query.Activity.Spread;
import dev.millpond.engine.query.Health;
import dev.millpond.server.doctor.Finding;
import dev.millpond.server.http.json.Json;
import dev.millpond.server.http.queues.QueueWriter;
import dev.millpond.server.http.workers.WorkerWriter;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonGenerator;

/** Shows the fleet at one moment. */
final class FrameWriter {
  private FrameWriter() {}

  static byte[] frame(FleetState state, List<FleetFinding> findings) {
    return Json.write(out -> {
      out.writeStartObject();
      activity(out, state.activity());
      totals(out, state.totals());
      out.writeArrayPropertyStart("queues");
      state.queues().forEach(queue -> QueueWriter.write(out, queue));
      out.writeEndArray();
      out.writeArrayPropertyStart("workers");
      state.workers().forEach(worker -> WorkerWriter.write(out, worker));
      out.writeEndArray();
      out.writeBooleanProperty("more", state.more());
      out.writeArrayPropertyStart("health");
      state.health().components().forEach(component -> component(out, component));
      out.writeEndArray();
      out.writeArrayPropertyStart("findings");
      findings.forEach(each -> finding(out, each));
      out.writeEndArray();
      out.writeEndObject();
    });
  }

  /** What a chart shows of the moment. */
  static String point(FleetState state, Activity activity) {
    byte[] json =
        Json.write(out -> {
          out.writeStartObject();
          out.writeNumberProperty("at", activity.at().toEpochMilli() / 1_000.0);
          out.writeNumberProperty("submitted", rounded(activity.submittedPerSecond()));
          out.writeNumberProperty("left", rounded(state.totals().drainPerSecond()));
          out.writeNumberProperty("depth", state.totals().depth());
          millis(out, "wait", activity.waited());
          millis(out, "run", activity.ran());
          out.writeEndObject();
        });
    return new String(json, StandardCharsets.UTF_8);
  }

  private static void activity(JsonGenerator out, @Nullable Activity activity) {
    if (activity == null) {
      return;
    }
    out.writeStringProperty("at", activity.at().toString());
    out.writeNumberProperty("submittedPerSecond", rounded(activity.submittedPerSecond()));
    Activity.Attempts attempts = activity.attempts();
    out.writeObjectPropertyStart("attempts");
    out.writeNumberProperty("succeeded", attempts.succeeded());
    out.writeNumberProperty("failed", attempts.failed());
    out.writeNumberProperty("timedOut", attempts.timedOut());
    out.writeNumberProperty("rescued", attempts.rescued());
    out.writeNumberProperty("cancelled", attempts.cancelled());
    out.writeBooleanProperty("sampled", attempts.sampled());
    out.writeEndObject();
    millis(out, "wait", activity.waited());
    millis(out, "run", activity.ran());
    out.writeObjectPropertyStart("died");
    out.writeNumberProperty("lastMinute", activity.died().lastMinute());
    out.writeNumberProperty("lastHour", activity.died().lastHour());
    out.writeEndObject();
    LeaderWriter.write(out, activity.leader());
  }

  private static void totals(JsonGenerator out, FleetState.Totals totals) {
    out.writeObjectPropertyStart("totals");
    out.writeNumberProperty("depth", totals.depth());
    out.writeNumberProperty("scheduled", totals.scheduled());
    out.writeNumberProperty("dead", totals.dead());
    out.writeNumberProperty("oldestAgeMillis", totals.oldestAgeMillis());
    out.writeNumberProperty("drainPerSecond", rounded(totals.drainPerSecond()));
    out.writeNumberProperty("closed", totals.closed());
    out.writeNumberProperty("queues", totals.queues());
    out.writeNumberProperty("workers", totals.workers());
    out.writeNumberProperty("slots", totals.slots());
    out.writeNumberProperty("busy", totals.busy());
    out.writeEndObject();
  }

  private static void millis(JsonGenerator out, String name, @Nullable Spread spread) {
    if (spread != null) {
      out.writeObjectPropertyStart(name);
      out.writeNumberProperty("p50", millis(spread.p50()));
      out.writeNumberProperty("p95", millis(spread.p95()));
      out.writeNumberProperty("p99", millis(spread.p99()));
      out.writeEndObject();
    }
  }

  private static double millis(Duration time) {
    return Math.round(time.toNanos() / 1_000.0) / 1_000.0;
  }

  private static double rounded(double rate) {
    return Math.round(rate * 10) / 10.0;
  }

  private static void component(JsonGenerator out, Health.Component component) {
    out.writeStartObject();
    out.writeStringProperty("name", component.name());
    out.writeBooleanProperty("up", component.up());
    out.writeBooleanProperty("needed", component.needed());
    out.writeStringProperty("detail", component.detail());
    out.writeEndObject();
  }

  private static void finding(JsonGenerator out, FleetFinding each) {
    Finding finding = each.finding();
    out.writeStartObject();
    out.writeStringProperty("check", finding.check());
    out.writeStringProperty("level", finding.level().wireName());
    out.writeStringProperty("found", finding.found());
    Json.optional(out, "why", finding.why());
    Json.optional(out, "remedy", finding.remedy());
    out.writeStringProperty("page", each.page());
    out.writeEndObject();
  }
}
