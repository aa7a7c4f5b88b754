package dev.millpond.server.http.jobs;

import dev.millpond.api.Backoff;
import dev.millpond.api.JobOptions;
import dev.millpond.api.JobOptions.Expiry;
import dev.millpond.api.JobRequest;
import dev.millpond.api.JobRequest.RawJson;
import dev.millpond.api.JobRequest.Start;
import dev.millpond.api.Limits;
import dev.millpond.engine.submit.CheckedJson;
import dev.millpond.server.http.json.JsonReader;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The fields of a job as {@link JobReader} comes by them. Confined to one thread. */
final class JobDraft {
  private static final JsonReader.Value NULL = new JsonReader.Value("null", true);

  @Nullable String kind;
  boolean kindSeen;
  @Nullable String queue;
  @Nullable String priorityClass;
  JsonReader.Value payload = NULL;
  boolean payloadSeen;

  /** Fields of an edit. */
  int given;

  @Nullable Instant runAt;
  @Nullable Duration delay;
  @Nullable Integer maxAttempts;
  @Nullable Duration backoffBase;
  @Nullable Duration backoffMax;
  @Nullable Duration softTimeout;
  @Nullable Duration hardTimeout;
  List<String> tags = List.of();
  boolean keepResult = true;
  @Nullable Duration resultTtl;
  @Nullable Instant expiresAt;
  @Nullable Duration expiresIn;
  @Nullable URI webhook;
  @Nullable String idempotencyKey;

  JobRequest request(String knownKind, @Nullable Backoff backoff) {
    Start start =
        runAt != null ? new Start.At(runAt) : delay != null ? new Start.In(delay) : new Start.Now();
    return new JobRequest(
        knownKind,
        payload.plain() ? new CheckedJson(payload.text()) : new RawJson(payload.text()),
        queue == null ? Limits.DEFAULT_QUEUE : queue,
        priorityClass == null ? Limits.DEFAULT_CLASS : priorityClass,
        start,
        new JobOptions(
            maxAttempts,
            backoff,
            softTimeout,
            hardTimeout == null ? hardFor(softTimeout) : hardTimeout,
            tags,
            keepResult,
            idempotencyKey,
            expiry(),
            resultTtl,
            webhook));
  }

  private @Nullable Expiry expiry() {
    if (expiresAt != null) {
      return new Expiry.At(expiresAt);
    }
    return expiresIn == null ? null : new Expiry.In(expiresIn);
  }

  /** A soft timeout given alone brings its hard one; one out of range is left to the engine. */
  private static @Nullable Duration hardFor(@Nullable Duration soft) {
    return soft == null || soft.compareTo(Limits.TIMEOUT_CEILING) > 0
        ? null
        : soft.plus(Limits.HARD_TIMEOUT_MARGIN);
  }
}
