package dev.millpond.server.http.jobs;

import dev.millpond.api.Backoff;
import dev.millpond.api.InvalidJobException;
import dev.millpond.api.JobRequest;
import dev.millpond.api.JobRequest.Start;
import dev.millpond.api.Limits;
import dev.millpond.server.config.Nearest;
import dev.millpond.server.http.json.FieldReader;
import dev.millpond.server.http.json.JsonReader;
import dev.millpond.server.http.problem.Problem;
import dev.millpond.server.http.problem.ProblemException;
import java.net.URI;
import java.net.URISyntaxException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonToken;

/**
 * Reads submitted jobs. Checks the shape: known fields of the right type; the engine checks the
 * values. {@code null} counts as absent. All errors of a request are reported together.
 */
public final class JobReader {
  private static final List<String> FIELDS =
      List.of(
          "kind",
          "queue",
          "priorityClass",
          "payload",
          "runAt",
          "delay",
          "maxAttempts",
          "backoff",
          "softTimeout",
          "hardTimeout",
          "tags",
          "keepResult",
          "expiresAt",
          "expiresIn",
          "webhook",
          "idempotencyKey");

  private static final String KEEP_RESULT = "true, false or " + FieldReader.DURATION;
  private static final String URL = "a URL such as https://example.com/done";

  private final JsonReader in;
  private final FieldReader values;

  private JobReader(JsonReader in) {
    this.in = in;
    this.values = new FieldReader(in);
  }

  /**
   * Reads one job.
   *
   * @throws ProblemException 400 when the body is no JSON, 422 when a field cannot be used
   */
  static JobRequest one(byte[] body) {
    return JsonReader.read(
        body,
        in -> {
          JobReader reader = new JobReader(in);
          Optional<JobRequest> job = reader.job();
          reader.values.throwIfAny();
          return job.orElseThrow();
        });
  }

  /**
   * The jobs of a batch.
   *
   * @param prefix JSON pointer of their list in the body
   */
  record Batch(List<JobRequest> jobs, String prefix) {}

  /**
   * Reads a batch: {@code [job, …]} or {@code {"jobs":[job, …]}}.
   *
   * @param most jobs of it
   * @throws ProblemException as {@link #one}, and 400 for no job or too many
   */
  static Batch batch(byte[] body, int most) {
    return JsonReader.read(
        body,
        in -> {
          JobReader reader = new JobReader(in);
          boolean list = in.token() == JsonToken.START_ARRAY;
          List<JobRequest> jobs = list ? reader.list(most) : reader.jobs(most);
          reader.values.throwIfAny();
          if (jobs.isEmpty()) {
            throw batchSize(most);
          }
          return new Batch(jobs, list ? "" : "/jobs");
        });
  }

  /**
   * Reads a job of a body with one job a line.
   *
   * @param index of the job in its body
   * @param number of the line in its body
   * @throws ProblemException as {@link #one}, naming both
   */
  static JobRequest line(byte[] line, int index, int number) {
    try {
      return JsonReader.read(
          line,
          in -> {
            JobReader reader = new JobReader(in);
            reader.values.index(index);
            Optional<JobRequest> job = reader.job();
            reader.values.throwIfAny();
            return job.orElseThrow();
          });
    } catch (ProblemException e) {
      throw new ProblemException(e.problem().with("index", index).with("line", number));
    }
  }

  /** Fields of a job that can be changed; null for those that were not given. */
  public record Edit(
      @Nullable String priorityClass,
      @Nullable Start start,
      @Nullable String payload,
      @Nullable Integer maxAttempts) {}

  /**
   * Reads changes of a job: at least one of the fields.
   *
   * @param allowed names of the fields that can be changed
   * @throws ProblemException as {@link #one}
   */
  public static Edit edit(byte[] body, List<String> allowed) {
    return JsonReader.read(
        body,
        in -> {
          JobReader reader = new JobReader(in);
          JobDraft draft = reader.fields(allowed);
          if (draft.given == 0) {
            reader.values.error("", "required", "must have at least one of " + allowed);
          }
          reader.values.throwIfAny();
          Start start =
              draft.runAt != null
                  ? new Start.At(draft.runAt)
                  : draft.delay != null ? new Start.In(draft.delay) : null;
          return new Edit(
              draft.priorityClass,
              start,
              draft.payloadSeen ? draft.payload.text() : null,
              draft.maxAttempts);
        });
  }

  private JobDraft fields(List<String> allowed) {
    JobDraft draft = new JobDraft();
    if (!values.expect(JsonToken.START_OBJECT, "an object")) {
      draft.given = 1;
      return draft;
    }
    while (in.next() == JsonToken.PROPERTY_NAME) {
      String name = in.text();
      in.next();
      draft.given++;
      if (allowed.contains(name)) {
        field(draft, name);
      } else {
        values.unknown("cannot be changed; nearest: " + Nearest.to(name, allowed));
      }
    }
    if (draft.runAt != null && draft.delay != null) {
      values.error("/delay", "conflict", "cannot be given together with runAt");
    }
    return draft;
  }

  /** The jobs of a list, at whose start the reader is. */
  private List<JobRequest> list(int most) {
    List<JobRequest> jobs = new ArrayList<>();
    for (int index = 0; in.next() != JsonToken.END_ARRAY; index++) {
      if (index >= most) {
        throw batchSize(most);
      }
      values.index(index);
      job().ifPresent(jobs::add);
    }
    values.index(-1);
    return jobs;
  }

  private List<JobRequest> jobs(int most) {
    List<JobRequest> jobs = new ArrayList<>();
    if (!values.expect(
        JsonToken.START_OBJECT, "a list of jobs, or an object with the list \"jobs\"")) {
      return jobs;
    }
    boolean found = false;
    while (in.next() == JsonToken.PROPERTY_NAME) {
      String name = in.text();
      in.next();
      if (!name.equals("jobs")) {
        values.unknown("is no field of a batch; nearest: jobs");
      } else if (values.expect(JsonToken.START_ARRAY, "a list of jobs")) {
        found = true;
        jobs = list(most);
      } else {
        found = true;
      }
    }
    if (!found) {
      values.error("/jobs", "required", "is missing");
    }
    return jobs;
  }

  private Optional<JobRequest> job() {
    if (!values.expect(JsonToken.START_OBJECT, "an object")) {
      return Optional.empty();
    }
    JobDraft draft = new JobDraft();
    while (in.next() == JsonToken.PROPERTY_NAME) {
      String name = in.text();
      in.next();
      field(draft, name);
    }
    // At its end the reader's pointer is that of the job itself.
    if (draft.kind == null) {
      if (!draft.kindSeen) {
        values.error(in.pointer() + "/kind", "required", "is missing");
      }
      return Optional.empty();
    }
    if (draft.runAt != null && draft.delay != null) {
      values.error(in.pointer() + "/delay", "conflict", "cannot be given together with runAt");
    }
    if (draft.expiresAt != null && draft.expiresIn != null) {
      values.error(
          in.pointer() + "/expiresIn", "conflict", "cannot be given together with expiresAt");
    }
    return Optional.of(draft.request(draft.kind, backoff(draft)));
  }

  private void field(JobDraft draft, String name) {
    if (in.token() == JsonToken.VALUE_NULL && FIELDS.contains(name)) {
      draft.given--;
      // Absent, and for a payload the same as null.
      return;
    }
    switch (name) {
      case "kind" -> {
        draft.kindSeen = true;
        draft.kind = values.string("a string");
      }
      case "queue" -> draft.queue = values.string("a string");
      case "priorityClass" -> draft.priorityClass = values.string("a string");
      case "payload" -> {
        draft.payloadSeen = true;
        draft.payload = in.raw();
      }
      case "runAt" -> draft.runAt = values.instant();
      case "delay" -> draft.delay = values.duration();
      case "maxAttempts" -> draft.maxAttempts = values.integer();
      case "backoff" -> backoffFields(draft);
      case "softTimeout" -> draft.softTimeout = values.duration();
      case "hardTimeout" -> draft.hardTimeout = values.duration();
      case "tags" -> draft.tags = strings();
      case "keepResult" -> keepResult(draft);
      case "expiresAt" -> draft.expiresAt = values.instant();
      case "expiresIn" -> draft.expiresIn = values.duration();
      case "webhook" -> draft.webhook = url();
      case "idempotencyKey" -> draft.idempotencyKey = values.string("a string");
      default -> values.unknown("is no field of a job; nearest: " + Nearest.to(name, FIELDS));
    }
  }

  private void backoffFields(JobDraft draft) {
    if (!values.expect(JsonToken.START_OBJECT, "an object with base and max")) {
      return;
    }
    while (in.next() == JsonToken.PROPERTY_NAME) {
      String name = in.text();
      in.next();
      switch (name) {
        case "base" -> draft.backoffBase = values.duration();
        case "max" -> draft.backoffMax = values.duration();
        default -> values.unknown("is no field of a backoff; known: base, max");
      }
    }
  }

  private @Nullable Backoff backoff(JobDraft draft) {
    if (draft.backoffBase == null && draft.backoffMax == null) {
      return null;
    }
    Duration first = draft.backoffBase == null ? Limits.BACKOFF_BASE : draft.backoffBase;
    Duration most = draft.backoffMax;
    if (most == null) {
      most = first.compareTo(Limits.BACKOFF_MAX) > 0 ? first : Limits.BACKOFF_MAX;
    }
    try {
      return new Backoff(first, most);
    } catch (InvalidJobException e) {
      values.error(in.pointer() + e.pointer(), "invalid", e.detail());
      return null;
    }
  }

  /** Whether to keep it, or for how long. */
  private void keepResult(JobDraft draft) {
    switch (in.token()) {
      case VALUE_TRUE -> draft.keepResult = true;
      case VALUE_FALSE -> draft.keepResult = false;
      case VALUE_STRING -> draft.resultTtl = values.duration();
      default -> values.wrongType(KEEP_RESULT);
    }
  }

  private @Nullable URI url() {
    if (!values.expect(JsonToken.VALUE_STRING, URL)) {
      return null;
    }
    try {
      return new URI(in.text());
    } catch (URISyntaxException e) {
      values.error(in.pointer(), "invalid", "must be " + URL + ", " + e.getReason());
      return null;
    }
  }

  private List<String> strings() {
    List<String> strings = new ArrayList<>();
    if (!values.expect(JsonToken.START_ARRAY, "a list of strings")) {
      return strings;
    }
    while (in.next() != JsonToken.END_ARRAY) {
      String text = values.string("a string");
      if (text != null) {
        strings.add(text);
      }
    }
    return strings;
  }

  /** A batch without a job or with too many. */
  static ProblemException batchSize(int most) {
    return new ProblemException(
        Problem.of(400, "batch-size", "A batch has 1 to " + most + " jobs")
            .remedy("Split it, or send application/x-ndjson with ?commitEvery"));
  }
}
