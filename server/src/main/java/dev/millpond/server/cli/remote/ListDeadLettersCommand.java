package dev.millpond.server.cli.remote;

import dev.millpond.server.cli.terminal.Table;
import dev.millpond.server.cli.terminal.Table.Layout;
import java.time.Instant;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import tools.jackson.databind.JsonNode;

/** {@code millpond dead-letters list}. */
@Command(name = "list", description = "Lists dead letters, the latest first.", sortOptions = false)
final class ListDeadLettersCommand extends RemoteCommand {
  @Mixin private DeadLetterFilter filter = new DeadLetterFilter();
  @Mixin private Listing listing = new Listing();

  @Override
  void check() {
    listing.check();
  }

  @Override
  int run(Session session) throws InterruptedException {
    listing.print(
        session,
        "/v1/dead-letters",
        filter::query,
        (letters, now) -> session.table(table(letters, now)));
    return 0;
  }

  private static Table table(List<JsonNode> letters, Instant now) {
    Table table =
        new Table()
            .column("JOB", Layout.WHOLE)
            .column("KIND", Layout.TEXT)
            .column("QUEUE", Layout.TEXT)
            .column("TRIES", Layout.NUMBER)
            .column("REASON", Layout.WHOLE)
            .column("AGE", Layout.NUMBER)
            .column("ERROR", Layout.TEXT);
    for (JsonNode letter : letters) {
      table.row(
          Field.text(letter, "jobId"),
          Field.text(letter, "kind"),
          Field.text(letter, "queue"),
          Field.text(letter, "attempts"),
          Field.text(letter, "reason"),
          Field.age(letter, "deadAt", now),
          Field.error(letter));
    }
    return table;
  }
}
