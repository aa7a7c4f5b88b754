package dev.millpond.server.cli.remote;

import dev.millpond.server.cli.terminal.Table;
import dev.millpond.server.cli.terminal.Table.Layout;
import dev.millpond.server.client.ApiJson;
import dev.millpond.server.client.Call;
import dev.millpond.server.client.Reply;
import java.util.List;
import picocli.CommandLine.Command;
import tools.jackson.databind.JsonNode;

/** {@code millpond pauses list}. */
@Command(
    name = "list",
    description = "Lists the queues, kinds and tags that are paused, with who did it and why.",
    sortOptions = false)
final class ListPausesCommand extends RemoteCommand {
  private static final List<String> SCOPES = List.of("queue", "kind", "tag");

  @Override
  int run(Session session) throws InterruptedException {
    Reply.Done pauses = session.call(Call.get("/v1/pauses"));
    if (session.json()) {
      session.document(ApiJson.text(pauses.json().path("items")));
      return 0;
    }
    Table table =
        new Table()
            .column("WHAT", Layout.WHOLE)
            .column("NAME", Layout.WHOLE)
            .column("SINCE", Layout.WHOLE)
            .column("BY", Layout.WHOLE)
            .column("REASON", Layout.TEXT);
    for (JsonNode pause : pauses.json().path("items")) {
      String scope = scope(pause);
      table.row(
          scope,
          Field.text(pause, scope),
          Field.text(pause, "pausedAt"),
          Field.text(pause, "by"),
          Field.text(pause, "reason"));
    }
    session.table(table);
    return 0;
  }

  private static String scope(JsonNode pause) {
    return SCOPES.stream().filter(pause::has).findFirst().orElse("");
  }

  /** Prints what is paused now, or is not. */
  static void show(Session session, Reply.Done done) {
    if (session.json()) {
      session.document(done.body());
      return;
    }
    JsonNode pause = done.json();
    String scope = scope(pause);
    JobText.member(session, scope, Field.text(pause, scope));
    JobText.member(session, "paused", Field.text(pause, "paused"));
    JobText.member(session, "since", Field.text(pause, "pausedAt"));
    JobText.member(session, "by", Field.text(pause, "by"));
    JobText.member(session, "reason", Field.text(pause, "reason"));
  }
}
