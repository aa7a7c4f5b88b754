package dev.millpond.server.cli.remote;

import dev.millpond.server.cli.ExitCode;
import dev.millpond.server.cli.terminal.Table;
import dev.millpond.server.cli.terminal.Table.Layout;
import dev.millpond.server.client.ApiJson;
import dev.millpond.server.client.Call;
import dev.millpond.server.client.Reply;
import java.time.Instant;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import tools.jackson.databind.JsonNode;

/** {@code millpond keys list}. */
@Command(
    name = "list",
    description = "Lists the keys, those that work first. Their secrets are nowhere.",
    sortOptions = false)
final class ListKeysCommand extends RemoteCommand {
  @Override
  int run(Session session) throws InterruptedException {
    Reply.Done keys = session.call(Call.get("/v1/keys"));
    if (session.json()) {
      session.document(ApiJson.text(keys.json().path("items")));
      return ExitCode.OK;
    }
    Table table =
        new Table()
            .column("KEY", Layout.WHOLE)
            .column("NAME", Layout.WHOLE)
            .column("STATE", Layout.WHOLE)
            .column("SCOPES", Layout.WHOLE)
            .column("AGE", Layout.NUMBER)
            .column("USED", Layout.NUMBER)
            .column("EXPIRES", Layout.WHOLE)
            .column("BY", Layout.TEXT)
            .column("QUEUES", Layout.TEXT);
    for (JsonNode key : keys.json().path("items")) {
      table.row(
          Field.text(key, "prefix"),
          Field.text(key, "name"),
          state(key, keys.now()),
          words(key.path("scopes")),
          Field.age(key, "createdAt", keys.now()),
          Field.age(key, "lastUsedAt", keys.now()),
          Field.text(key, "expiresAt"),
          Field.text(key, "createdBy"),
          words(key.path("queues")));
    }
    session.table(table);
    return ExitCode.OK;
  }

  private static String state(JsonNode key, Instant now) {
    if (key.has("revokedAt")) {
      return "revoked";
    }
    return Field.time(key, "expiresAt").filter(end -> !now.isBefore(end)).isPresent()
        ? "expired"
        : "works";
  }

  private static String words(JsonNode list) {
    return list.valueStream().map(JsonNode::asString).collect(Collectors.joining(" "));
  }
}
