package dev.millpond.server.cli.remote;

import dev.millpond.server.cli.ExitCode;
import dev.millpond.server.cli.terminal.Table;
import dev.millpond.server.cli.terminal.Table.Layout;
import dev.millpond.server.client.ApiJson;
import dev.millpond.server.client.Call;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import tools.jackson.databind.JsonNode;

/** {@code millpond audit list}. */
@Command(
    name = "list",
    description = "Lists what callers have changed, the latest first.",
    sortOptions = false)
final class ListAuditCommand extends RemoteCommand {
  @Option(names = "--principal", paramLabel = "NAME", description = "Changes by this caller.")
  private @Nullable String principal;

  @Option(names = "--key", paramLabel = "PREFIX", description = "Changes by this key.")
  private @Nullable String key;

  @Option(
      names = "--action",
      paramLabel = "ACTION",
      description = "Changes of this sort, such as queues.pause, or queues for all of a noun.")
  private @Nullable String action;

  @Option(
      names = "--target",
      paramLabel = "TEXT",
      description = "Changes of this queue, job, worker or key.")
  private @Nullable String target;

  @Option(
      names = "--since",
      paramLabel = "TIME",
      converter = Converters.PastTime.class,
      description = "Made at or after: an instant, or how long ago such as 2h.")
  private @Nullable Instant since;

  @Option(
      names = "--until",
      paramLabel = "TIME",
      converter = Converters.PastTime.class,
      description = "Made before: an instant, or how long ago.")
  private @Nullable Instant until;

  @Mixin private Listing listing = new Listing();

  @Override
  void check() {
    listing.check();
  }

  @Override
  int run(Session session) throws InterruptedException {
    listing.print(
        session, "/v1/audit", this::query, (entries, now) -> session.table(table(entries)));
    return ExitCode.OK;
  }

  private Call.Query query() {
    return new Call.Query()
        .with("principal", principal)
        .with("key", key)
        .with("action", action)
        .with("target", target)
        .with("since", since)
        .with("until", until);
  }

  private static Table table(List<JsonNode> entries) {
    Table table =
        new Table()
            .column("AT", Layout.WHOLE)
            .column("PRINCIPAL", Layout.WHOLE)
            .column("KEY", Layout.WHOLE)
            .column("FROM", Layout.WHOLE)
            .column("ACTION", Layout.WHOLE)
            .column("TARGET", Layout.WHOLE)
            .column("BEFORE", Layout.TEXT)
            .column("AFTER", Layout.TEXT);
    for (JsonNode entry : entries) {
      table.row(
          Field.text(entry, "at"),
          Field.text(entry, "principal"),
          Field.text(entry, "key"),
          Field.text(entry, "address"),
          Field.text(entry, "action"),
          Field.text(entry, "target"),
          json(entry.path("before")),
          json(entry.path("after")));
    }
    return table;
  }

  private static String json(JsonNode facts) {
    return facts.isMissingNode() ? "" : ApiJson.text(facts);
  }
}
