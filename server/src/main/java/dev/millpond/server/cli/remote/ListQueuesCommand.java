package dev.millpond.server.cli.remote;

import dev.millpond.server.cli.terminal.Age;
import dev.millpond.server.cli.terminal.Table;
import dev.millpond.server.cli.terminal.Table.Layout;
import dev.millpond.server.client.ApiJson;
import dev.millpond.server.client.Call;
import dev.millpond.server.client.Reply;
import java.time.Duration;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import tools.jackson.databind.JsonNode;

/** {@code millpond queues list}. */
@Command(
    name = "list",
    description = "Lists the queues with their depths as last counted.",
    sortOptions = false)
final class ListQueuesCommand extends RemoteCommand {
  @Override
  int run(Session session) throws InterruptedException {
    Reply.Done queues = session.call(Call.get("/v1/queues"));
    if (session.json()) {
      session.document(ApiJson.text(queues.json().path("items")));
      return 0;
    }
    Table table =
        new Table()
            .column("QUEUE", Layout.WHOLE)
            .column("DEPTH", Layout.NUMBER)
            .column("SCHEDULED", Layout.NUMBER)
            .column("DEAD", Layout.NUMBER)
            .column("OLDEST", Layout.NUMBER)
            .column("GATE", Layout.WHOLE)
            .column("CLASSES", Layout.TEXT);
    for (JsonNode queue : queues.json().path("items")) {
      table.row(
          Field.text(queue, "name"),
          Field.text(queue, "depth"),
          Field.text(queue, "scheduled"),
          Field.text(queue, "dead"),
          oldest(queue),
          Field.text(queue, "gate"),
          queue
              .path("classes")
              .valueStream()
              .map(depth -> Field.text(depth, "priorityClass") + " " + Field.text(depth, "depth"))
              .collect(Collectors.joining(", ")));
    }
    session.table(table);
    return 0;
  }

  /** Its watermarks as {@code high / low}. */
  static String marks(JsonNode queue) {
    return queue.has("highWatermark")
        ? Field.text(queue, "highWatermark") + " / " + Field.text(queue, "lowWatermark")
        : "none";
  }

  /** The age of the oldest runnable job; empty when there is none. */
  static String oldest(JsonNode queue) {
    long millis = queue.path("oldestAgeMillis").asLong(0);
    return millis <= 0 ? "" : Age.span(Duration.ofMillis(millis));
  }
}
