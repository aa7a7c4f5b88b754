package dev.millpond.server.cli.remote;

import dev.millpond.server.cli.terminal.Age;
import dev.millpond.server.cli.terminal.PlainText;
import dev.millpond.server.cli.terminal.Table;
import dev.millpond.server.cli.terminal.Table.Layout;
import dev.millpond.server.client.ApiJson;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import tools.jackson.databind.JsonNode;

/** Jobs as people see them. */
final class JobText {
  /** States in which a job rests: it ended, or waits for somebody as a dead letter. */
  private static final Set<String> RESTING = Set.of("succeeded", "cancelled", "dead");

  /** What is told of a holder, in this order, and its name for people. */
  private static final Map<String, String> HOLDER =
      new TreeMap<>(
          Map.of("workerId", "worker", "host", "host", "pid", "process", "dispatchId", "dispatch"));

  private JobText() {}

  static boolean rests(JsonNode job) {
    return RESTING.contains(Field.text(job, "state"));
  }

  static boolean succeeded(JsonNode job) {
    return Field.text(job, "state").equals("succeeded");
  }

  static Table table(List<JsonNode> jobs, Instant now) {
    Table table =
        new Table()
            .column("ID", Layout.WHOLE)
            .column("STATE", Layout.WHOLE)
            .column("KIND", Layout.TEXT)
            .column("QUEUE", Layout.TEXT)
            .column("CLASS", Layout.TEXT)
            .column("TRY", Layout.NUMBER)
            .column("AGE", Layout.NUMBER)
            .column("NOTE", Layout.TEXT);
    for (JsonNode job : jobs) {
      table.row(
          Field.text(job, "id"),
          Field.text(job, "state"),
          Field.text(job, "kind"),
          Field.text(job, "queue"),
          Field.text(job, "priorityClass"),
          Field.text(job, "attempt"),
          Field.age(job, "createdAt", now),
          note(job, now));
    }
    return table;
  }

  /** What is worth saying about a job beside its state. */
  static String note(JsonNode job, Instant now) {
    JsonNode progress = job.path("progress");
    return switch (Field.text(job, "state")) {
      case "scheduled" -> "due " + Field.age(job, "runAt", now);
      case "waiting" -> Field.text(job, "waitReason");
      case "running" -> progress.isObject() ? progress(progress) : "";
      case "succeeded" -> {
        String took = Field.span(job, "startedAt", "endedAt");
        yield took.isEmpty() ? "" : "took " + took;
      }
      default -> Field.error(job);
    };
  }

  static String progress(JsonNode progress) {
    String message = Field.text(progress, "message");
    return Field.text(progress, "percent") + " %" + (message.isEmpty() ? "" : " " + message);
  }

  /** Prints all of a job. */
  static void print(Session session, JsonNode job, Instant now, boolean stack) {
    member(session, "id", Field.text(job, "id"));
    member(session, "kind", Field.text(job, "kind"));
    member(
        session, "queue", Field.text(job, "queue") + ", class " + Field.text(job, "priorityClass"));
    String note = note(job, now);
    member(session, "state", Field.text(job, "state") + (note.isEmpty() ? "" : ": " + note));
    String most = Field.text(job, "maxAttempts");
    member(session, "attempt", Field.text(job, "attempt") + (most.isEmpty() ? "" : " of " + most));
    member(
        session,
        "tags",
        job.path("tags").valueStream().map(JsonNode::asString).collect(Collectors.joining(", ")));
    member(session, "key", Field.text(job, "idempotencyKey"));
    for (String time : List.of("createdAt", "runAt", "startedAt", "endedAt", "expiresAt")) {
      Field.time(job, time)
          .ifPresent(at -> member(session, label(time), at + " (" + relative(at, now) + ")"));
    }
    member(session, "holder", holder(job.path("holder")));
    member(session, "next", Field.text(job, "nextStep"));
    json(session, "payload", job);
    json(session, "result", job);
    JsonNode error = job.path("error");
    if (stack && error.isObject()) {
      session.line("");
      PlainText.lines(Field.text(error, "stack")).forEach(session::line);
    }
    attempts(session, job.path("attempts"));
  }

  private static void attempts(Session session, JsonNode attempts) {
    if (attempts.isEmpty()) {
      return;
    }
    Table table =
        new Table()
            .column("TRY", Layout.NUMBER)
            .column("TOKEN", Layout.NUMBER)
            .column("WORKER", Layout.TEXT)
            .column("STARTED", Layout.WHOLE)
            .column("TOOK", Layout.NUMBER)
            .column("ENDED", Layout.WHOLE)
            .column("ERROR", Layout.TEXT);
    for (JsonNode attempt : attempts) {
      table.row(
          Field.text(attempt, "attempt"),
          Field.text(attempt, "leaseToken"),
          Field.text(attempt, "workerId"),
          Field.time(attempt, "startedAt").map(JobText::seconds).orElse(""),
          Field.span(attempt, "startedAt", "endedAt"),
          Field.text(attempt, "ended"),
          Field.error(attempt));
    }
    session.line("");
    session.table(table);
  }

  private static String holder(JsonNode holder) {
    StringBuilder text = new StringBuilder(Field.text(holder, "type"));
    HOLDER.forEach((name, label) -> {
      if (holder.hasNonNull(name)) {
        text.append(", ").append(label).append(' ').append(Field.text(holder, name));
      }
    });
    return text.toString();
  }

  private static String seconds(Instant time) {
    return time.truncatedTo(ChronoUnit.SECONDS).toString();
  }

  private static String label(String time) {
    return time.equals("runAt") ? "run" : time.replace("At", "");
  }

  private static String relative(Instant at, Instant now) {
    String age = Age.of(at, now);
    return age.startsWith("in ") ? age : age + " ago";
  }

  private static void json(Session session, String name, JsonNode job) {
    if (job.has(name)) {
      member(session, name, ApiJson.text(job.get(name)));
    }
  }

  static void member(Session session, String name, String value) {
    if (!value.isEmpty()) {
      session.line(String.format("%-9s %s", name, value));
    }
  }
}
