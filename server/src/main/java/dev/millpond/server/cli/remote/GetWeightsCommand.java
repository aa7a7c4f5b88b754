package dev.millpond.server.cli.remote;

import dev.millpond.server.cli.ExitCode;
import dev.millpond.server.cli.terminal.Table;
import dev.millpond.server.cli.terminal.Table.Layout;
import dev.millpond.server.client.Call;
import dev.millpond.server.client.Reply;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.JsonNode;

/** {@code millpond weights get}. */
@Command(
    name = "get",
    description = "Shows the weights of a queue's priority classes.",
    sortOptions = false)
final class GetWeightsCommand extends RemoteCommand {
  @Parameters(paramLabel = "QUEUE", description = "The queue's name.")
  private String queue = "";

  @Override
  int run(Session session) throws InterruptedException {
    show(session, session.call(Call.get(path(queue))));
    return ExitCode.OK;
  }

  static String path(String queue) {
    return "/v1/queues/" + Call.part(queue) + "/weights";
  }

  /** Prints an answer about weights. */
  static void show(Session session, Reply.Done done) {
    if (session.json()) {
      session.document(done.body());
      return;
    }
    JsonNode weights = done.json().path("weights");
    JsonNode configured = done.json().path("configured");
    double all = weights.valueStream().mapToInt(weight -> weight.asInt(0)).sum();
    Table table =
        new Table()
            .column("CLASS", Layout.WHOLE)
            .column("WEIGHT", Layout.NUMBER)
            .column("SHARE", Layout.NUMBER)
            .column("CONFIGURED", Layout.NUMBER);
    for (Map.Entry<String, JsonNode> weight : weights.properties()) {
      table.row(
          weight.getKey(),
          Field.text(weights, weight.getKey()),
          Math.round(100 * weight.getValue().asInt(0) / Math.max(1, all)) + " %",
          Field.text(configured, weight.getKey()));
    }
    session.table(table);
  }
}
