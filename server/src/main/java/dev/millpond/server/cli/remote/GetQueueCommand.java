package dev.millpond.server.cli.remote;

import dev.millpond.server.cli.ExitCode;
import dev.millpond.server.cli.terminal.Table;
import dev.millpond.server.cli.terminal.Table.Layout;
import dev.millpond.server.client.ApiJson;
import dev.millpond.server.client.Call;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.JsonNode;

/** {@code millpond queues get}. */
@Command(
    name = "get",
    description = "Shows one queue with its priority classes.",
    sortOptions = false)
final class GetQueueCommand extends RemoteCommand {
  @Parameters(paramLabel = "QUEUE", description = "The queue's name.")
  private String name = "";

  @Override
  int run(Session session) throws InterruptedException {
    Optional<JsonNode> found =
        session
            .call(Call.get("/v1/queues"))
            .json()
            .path("items")
            .valueStream()
            .filter(queue -> Field.text(queue, "name").equals(name))
            .findFirst();
    if (found.isEmpty()) {
      session.note("Queue not found: There is no queue " + name);
      session.note("-> queues list shows all of them");
      return ExitCode.REFUSED;
    }
    show(session, found.get());
    return ExitCode.OK;
  }

  /** Its watermarks in MiB as {@code high / low}. */
  private static String mibMarks(JsonNode queue) {
    return queue.has("highWatermarkMib")
        ? Field.text(queue, "highWatermarkMib") + " / " + Field.text(queue, "lowWatermarkMib")
        : "none";
  }

  /** Prints a queue. */
  static void show(Session session, JsonNode queue) {
    if (session.json()) {
      session.document(ApiJson.text(queue));
      return;
    }
    JobText.member(session, "queue", Field.text(queue, "name"));
    JobText.member(session, "depth", Field.text(queue, "depth"));
    JobText.member(session, "bytes", Field.text(queue, "payloadBytes"));
    JobText.member(session, "scheduled", Field.text(queue, "scheduled"));
    JobText.member(session, "dead", Field.text(queue, "dead"));
    JobText.member(session, "oldest", ListQueuesCommand.oldest(queue));
    JobText.member(session, "weight", Field.text(queue, "weight"));
    JobText.member(session, "aging", Field.text(queue, "aging"));
    JobText.member(session, "marks", ListQueuesCommand.marks(queue));
    JobText.member(session, "MiB marks", mibMarks(queue));
    JobText.member(session, "gate", Field.text(queue, "gate"));
    JobText.member(session, "drain", Field.text(queue, "drainPerSecond") + " jobs/s");
    JsonNode paused = queue.path("paused");
    JobText.member(session, "paused", Field.text(paused, "pausedAt"));
    JobText.member(session, "by", Field.text(paused, "by"));
    JobText.member(session, "reason", Field.text(paused, "reason"));
    Table table =
        new Table()
            .column("CLASS", Layout.WHOLE)
            .column("DEPTH", Layout.NUMBER)
            .column("WEIGHT", Layout.NUMBER);
    for (JsonNode depth : queue.path("classes")) {
      table.row(
          Field.text(depth, "priorityClass"),
          Field.text(depth, "depth"),
          Field.text(depth, "weight"));
    }
    session.line("");
    session.table(table);
  }
}
