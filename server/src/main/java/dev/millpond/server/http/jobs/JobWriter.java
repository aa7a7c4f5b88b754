package dev.millpond.server.http.jobs;

import dev.millpond.api.JobOptions;
import dev.millpond.api.JobOptions.Expiry;
import dev.millpond.api.JobState;
import dev.millpond.api.JobView;
import dev.millpond.engine.query.JobSummary;
import dev.millpond.server.http.json.Json;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonGenerator;

/** Shows a job. What is absent is left out. */
final class JobWriter {
  private JobWriter() {}

  static void write(JsonGenerator out, JobView job, boolean existing) {
    out.writeStartObject();
    request(out, job.request());
    state(out, job.state(), job.waitReason(), job.attempt(), job.timing());
    Json.raw(out, "result", job.result());
    error(out, job.error());
    out.writeArrayPropertyStart("attempts");
    job.attempts().forEach(attempt -> attempt(out, attempt));
    out.writeEndArray();
    progress(out, job.progress());
    holder(out, job.holder());
    Json.optional(out, "nextStep", job.nextStep());
    if (existing) {
      out.writeBooleanProperty("existing", true);
    }
    out.writeEndObject();
  }

  private static void holder(JsonGenerator out, JobView.@Nullable Holder holder) {
    if (holder == null) {
      return;
    }
    out.writeObjectPropertyStart("holder");
    out.writeStringProperty("type", holder.type().wireName());
    JobView.Worker worker = holder.worker();
    if (worker != null) {
      out.writeStringProperty("workerId", worker.id().toString());
      Json.optional(out, "host", worker.host());
      if (worker.pid() != null) {
        out.writeNumberProperty("pid", worker.pid());
      }
    }
    Json.optional(out, "dispatchId", holder.dispatchId());
    Json.optional(out, "sentAt", holder.sentAt());
    Json.optional(out, "claimedAt", holder.claimedAt());
    Json.optional(out, "seenAt", holder.seenAt());
    Json.optional(out, "deadline", holder.deadline());
    out.writeEndObject();
  }

  /** A job of a list: the same but for payload, result, attempts and stack. */
  static void summary(JsonGenerator out, JobSummary job) {
    out.writeStartObject();
    name(out, job.id(), job.kind(), job.queue(), job.priorityClass());
    options(out, job.options());
    JobSummary.Status status = job.status();
    state(out, status.state(), status.waitReason(), status.attempt(), status.timing());
    error(out, status.error());
    progress(out, status.progress());
    out.writeEndObject();
  }

  private static void name(
      JsonGenerator out, UUID id, String kind, String queue, String priorityClass) {
    out.writeStringProperty("id", id.toString());
    out.writeStringProperty("kind", kind);
    out.writeStringProperty("queue", queue);
    out.writeStringProperty("priorityClass", priorityClass);
  }

  private static void state(
      JsonGenerator out,
      JobState state,
      @Nullable String waitReason,
      int attempt,
      JobView.Timing timing) {
    out.writeStringProperty("state", state.wireName());
    Json.optional(out, "waitReason", waitReason);
    out.writeNumberProperty("attempt", attempt);
    Json.optional(out, "createdAt", timing.createdAt());
    Json.optional(out, "runAt", timing.runAt());
    Json.optional(out, "startedAt", timing.startedAt());
    Json.optional(out, "endedAt", timing.endedAt());
  }

  private static void progress(JsonGenerator out, JobView.@Nullable Progress progress) {
    if (progress != null) {
      out.writeObjectPropertyStart("progress");
      out.writeNumberProperty("percent", progress.percent());
      Json.optional(out, "message", progress.message());
      out.writeEndObject();
    }
  }

  private static void request(JsonGenerator out, JobView.Request request) {
    name(out, request.id(), request.kind(), request.queue(), request.priorityClass());
    Json.raw(out, "payload", request.payload());
    options(out, request.options());
  }

  private static void options(JsonGenerator out, JobOptions options) {
    Json.optional(out, "maxAttempts", options.maxAttempts());
    if (options.backoff() != null) {
      out.writeObjectPropertyStart("backoff");
      out.writeStringProperty("base", options.backoff().base().toString());
      out.writeStringProperty("max", options.backoff().max().toString());
      out.writeEndObject();
    }
    Json.optional(out, "softTimeout", options.softTimeout());
    Json.optional(out, "hardTimeout", options.hardTimeout());
    out.writeArrayPropertyStart("tags");
    options.tags().forEach(out::writeString);
    out.writeEndArray();
    if (options.resultTtl() == null) {
      out.writeBooleanProperty("keepResult", options.keepResult());
    } else {
      out.writeStringProperty("keepResult", options.resultTtl().toString());
    }
    switch (options.expiry()) {
      case null -> {}
      case Expiry.At at -> Json.optional(out, "expiresAt", at.expiresAt());
      case Expiry.In in -> Json.optional(out, "expiresIn", in.expiresIn());
    }
    Json.optional(out, "webhook", options.webhook());
    Json.optional(out, "idempotencyKey", options.idempotencyKey());
  }

  private static void attempt(JsonGenerator out, JobView.Attempt attempt) {
    out.writeStartObject();
    out.writeNumberProperty("attempt", attempt.attempt());
    out.writeNumberProperty("leaseToken", attempt.leaseToken());
    Json.optional(out, "workerId", attempt.workerId());
    Json.optional(out, "startedAt", attempt.startedAt());
    Json.optional(out, "endedAt", attempt.endedAt());
    out.writeStringProperty("ended", attempt.ended());
    error(out, attempt.error());
    out.writeEndObject();
  }

  private static void error(JsonGenerator out, JobView.@Nullable JobError error) {
    if (error == null) {
      return;
    }
    out.writeObjectPropertyStart("error");
    out.writeStringProperty("type", error.type());
    Json.optional(out, "message", error.message());
    Json.optional(out, "stack", error.stack());
    out.writeEndObject();
  }
}
