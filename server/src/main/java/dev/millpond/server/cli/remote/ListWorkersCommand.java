package dev.millpond.server.cli.remote;

import dev.millpond.server.cli.ExitCode;
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

/** {@code millpond workers list}. */
@Command(
    name = "list",
    description = "Lists the workers, the longest running first.",
    sortOptions = false)
final class ListWorkersCommand extends RemoteCommand {
  @Override
  int run(Session session) throws InterruptedException {
    Reply.Done workers = session.call(Call.get("/v1/workers"));
    if (session.json()) {
      session.document(ApiJson.text(workers.json().path("items")));
      return ExitCode.OK;
    }
    Table table =
        new Table()
            .column("WORKER", Layout.WHOLE)
            .column("STATE", Layout.WHOLE)
            .column("BUSY", Layout.NUMBER)
            .column("SLOTS", Layout.NUMBER)
            .column("BEAT", Layout.NUMBER)
            .column("HOST", Layout.TEXT)
            .column("PID", Layout.NUMBER)
            .column("KINDS", Layout.TEXT)
            .column("DRAINED BY", Layout.TEXT);
    for (JsonNode worker : workers.json().path("items")) {
      table.row(
          Field.text(worker, "id"),
          Field.text(worker, "state"),
          Field.text(worker, "busy"),
          Field.text(worker, "slots"),
          Age.span(Duration.ofMillis(worker.path("sinceBeatMillis").asLong(0))),
          Field.text(worker, "host"),
          Field.text(worker, "pid"),
          worker
              .path("kinds")
              .valueStream()
              .map(JsonNode::asString)
              .collect(Collectors.joining(" ")),
          drainedBy(worker.path("drain")));
    }
    session.table(table);
    return ExitCode.OK;
  }

  private static String drainedBy(JsonNode drain) {
    String by = Field.text(drain, "by");
    String reason = Field.text(drain, "reason");
    return reason.isEmpty() ? by : by.isEmpty() ? reason : by + ": " + reason;
  }
}
