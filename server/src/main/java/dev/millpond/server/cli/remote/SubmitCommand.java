package dev.millpond.server.cli.remote;

import dev.millpond.server.cli.ExitCode;
import dev.millpond.server.cli.terminal.Age;
import dev.millpond.server.client.ApiJson;
import dev.millpond.server.client.Call;
import dev.millpond.server.client.Reply;
import dev.millpond.server.http.json.Json;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.JsonNode;

/** {@code millpond jobs submit}: one job, or a file of them. */
@Command(
    name = "submit",
    description = {
      "Submits a job, or with --file many. It is done when its commit in PostgreSQL is.",
      "Exits 0 when accepted; with --wait 0 only when the job succeeded."
    },
    sortOptions = false)
final class SubmitCommand extends RemoteCommand {
  @Parameters(index = "0", arity = "0..1", paramLabel = "KIND", description = "The job's kind.")
  private @Nullable String kind;

  @Parameters(
      index = "1",
      arity = "0..1",
      paramLabel = "STDIN",
      description = "- reads the payload from standard input.")
  private @Nullable String dash;

  @Mixin private PayloadOptions payload = new PayloadOptions();

  @Option(names = "--queue", paramLabel = "QUEUE", description = "Default: default.")
  private @Nullable String queue;

  @Option(
      names = "--class",
      paramLabel = "CLASS",
      description = "Priority class; normal unless given.")
  private @Nullable String priorityClass;

  @Option(
      names = "--delay",
      paramLabel = "DURATION",
      converter = Converters.ApiSpan.class,
      description = "Runs after this time, such as 30s, 5m, 2h, 1d or PT30S.")
  private @Nullable String delay;

  @Option(
      names = "--run-at",
      paramLabel = "INSTANT",
      converter = Converters.Time.class,
      description = "Runs then, such as 2027-01-31T08:30:00Z.")
  private @Nullable Instant runAt;

  @Option(names = "--max-attempts", paramLabel = "N", description = "Attempts before it is dead.")
  private @Nullable Integer maxAttempts;

  @Option(names = "--tag", paramLabel = "TAG", description = "A tag; may be repeated.")
  private List<String> tags = List.of();

  @Option(
      names = "--key",
      paramLabel = "KEY",
      description = "Idempotency key: the same submit again gives the same job.")
  private @Nullable String key;

  @Option(
      names = "--expires-in",
      paramLabel = "DURATION",
      converter = Converters.ApiSpan.class,
      description = "Cancelled when it has not started by then.")
  private @Nullable String expiresIn;

  @Option(
      names = "--keep-result",
      paramLabel = "VALUE",
      converter = Converters.KeepResult.class,
      description = "true, false, or for how long, such as 7d.")
  private @Nullable Object keepResult;

  @Option(names = "--webhook", paramLabel = "URL", description = "Called when the job has ended.")
  private @Nullable String webhook;

  @Option(
      names = "--wait",
      paramLabel = "DURATION",
      arity = "0..1",
      parameterConsumer = Converters.OptionalSpan.class,
      description = "Waits for the end, at most so long; exits 1 when it did not succeed.")
  private @Nullable Duration wait;

  @Option(
      names = "--file",
      paramLabel = "FILE",
      description =
          "Submits the jobs in this NDJSON file, one a line, all or none; - for standard input.")
  private @Nullable Path file;

  @Option(
      names = "--commit-every",
      paramLabel = "N",
      description = "With --file: commits every N lines and prints a receipt for each.")
  private @Nullable Integer commitEvery;

  @Override
  void check() {
    if (file != null) {
      if (kind != null || payload.given() || optioned()) {
        throw usage(
            "--file holds whole jobs: of the others only --key and --commit-every go with it");
      }
    } else if (kind == null) {
      throw usage("KIND is missing");
    } else if (commitEvery != null) {
      throw usage("--commit-every goes with --file only");
    }
    if (dash != null && !dash.equals("-")) {
      throw usage(
          "Only - may follow KIND, for a payload from standard input, not \"" + dash + "\"");
    }
    if (dash != null && payload.given()) {
      throw usage("The payload is given twice");
    }
    if (runAt != null && delay != null) {
      throw usage("--run-at and --delay cannot be given together");
    }
    if (commitEvery != null && commitEvery < 1) {
      throw usage("--commit-every must be at least 1, is " + commitEvery);
    }
  }

  @Override
  int run(Session session) throws IOException, InterruptedException {
    if (file != null) {
      return new SubmitFile(file, key, commitEvery).run(session);
    }
    String json =
        dash == null ? payload.read(session.terminal()) : PayloadOptions.stdin(session.terminal());
    Call call = Call.post("/v1/jobs", body(json)).withIdempotencyKey(key);
    Reply.Done done = session.call(call);
    String id = Field.text(done.json(), "id");
    if (wait == null) {
      if (session.json()) {
        session.document(done.body());
      } else {
        session.line(
            "Job "
                + id
                + (done.json().path("existing").asBoolean(false)
                    ? existing(done)
                    : " is accepted"));
      }
      return ExitCode.OK;
    }
    return awaitEnd(session, id, wait);
  }

  private static String existing(Reply.Done done) {
    String state = Field.text(done.json(), "state");
    return " was there already" + (state.isEmpty() ? "" : "; it is " + state);
  }

  private static int awaitEnd(Session session, String id, Duration most)
      throws InterruptedException {
    Follow follow = new Follow(most);
    Reply.Done look = follow.look(session, Call.get(GetJobCommand.path(id)));
    while (!JobText.rests(look.json()) && !follow.over()) {
      follow.pause(false);
      look = follow.look(session, Call.get(GetJobCommand.path(id)));
    }
    JsonNode job = look.json();
    if (session.json()) {
      session.document(look.body());
    } else {
      String note = JobText.note(job, look.now());
      session.line(
          "Job " + id + " is " + Field.text(job, "state") + (note.isEmpty() ? "" : ": " + note));
      if (job.has("result")) {
        session.line(ApiJson.text(job.get("result")));
      }
    }
    if (!JobText.rests(job)) {
      session.note("Not ended after " + Age.span(most) + "; it goes on: jobs watch " + id);
    }
    return JobText.succeeded(job) ? ExitCode.OK : ExitCode.FAILED;
  }

  private boolean optioned() {
    return queue != null
        || priorityClass != null
        || delay != null
        || runAt != null
        || maxAttempts != null
        || !tags.isEmpty()
        || expiresIn != null
        || keepResult != null
        || webhook != null
        || wait != null;
  }

  private String body(@Nullable String json) {
    byte[] bytes =
        Json.write(out -> {
          out.writeStartObject();
          Json.optional(out, "kind", kind);
          Json.raw(out, "payload", json);
          Json.optional(out, "queue", queue);
          Json.optional(out, "priorityClass", priorityClass);
          Json.optional(out, "delay", delay);
          Json.optional(out, "runAt", runAt);
          Json.optional(out, "maxAttempts", maxAttempts);
          if (!tags.isEmpty()) {
            out.writeArrayPropertyStart("tags");
            tags.forEach(out::writeString);
            out.writeEndArray();
          }
          Json.optional(out, "expiresIn", expiresIn);
          Json.optional(out, "keepResult", keepResult);
          Json.optional(out, "webhook", webhook);
          out.writeEndObject();
        });
    return new String(bytes, StandardCharsets.UTF_8);
  }
}
