package dev.millpond.server.cli.remote;

import dev.millpond.server.cli.ExitCode;
import dev.millpond.server.client.Call;
import dev.millpond.server.client.Reply;
import java.io.IOException;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.JsonNode;

/** {@code millpond dead-letters redrive}: some by id, or all that match a filter. */
@Command(
    name = "redrive",
    description = {
      "Makes dead jobs runnable again: the same ids, attempt 1.",
      "With filters all that match, after a question with their count."
    },
    sortOptions = false)
final class RedriveCommand extends RemoteCommand {
  @Parameters(
      paramLabel = "ID",
      arity = "0..*",
      converter = Converters.Id.class,
      description = "Ids of dead jobs.")
  private List<String> ids = List.of();

  @Mixin private DeadLetterFilter filter = new DeadLetterFilter();

  @Option(names = "--all", description = "All dead letters, where no filter narrows it.")
  private boolean all;

  @Option(names = "--yes", description = "Asks nothing.")
  private boolean yes;

  @Override
  void check() {
    if (ids.isEmpty() && !filter.given() && !all) {
      throw usage("Give ids, filters, or --all");
    }
    if (!ids.isEmpty() && (filter.given() || all)) {
      throw usage("Ids go without filters and --all");
    }
  }

  @Override
  int run(Session session) throws IOException, InterruptedException {
    return ids.isEmpty()
        ? bulk(session)
        : Each.call(
            session,
            ids,
            id -> Call.post(EditCommand.path(id) + "/redrive"),
            done ->
                "Job " + Field.text(done.json(), "id") + " is " + Field.text(done.json(), "state"));
  }

  private int bulk(Session session) throws IOException, InterruptedException {
    Call.Query query = filter.query();
    if (!yes) {
      JsonNode preview = session.call(Call.get("/v1/dead-letters/count" + filter.query())).json();
      long count = preview.path("count").asLong();
      String text = (preview.path("exact").asBoolean(true) ? "" : "at least ") + letters(count);
      if (count > 0 && !session.terminal().interactive()) {
        session.note(text + " would be redriven");
        session.note("-> Add --yes to redrive them: nobody can be asked here");
        return ExitCode.USAGE;
      }
      if (count > 0 && !session.terminal().confirm(session.err(), "Redrive " + text + "?")) {
        session.note("Nothing was redriven");
        return ExitCode.OK;
      }
      query.with("expectedCount", count);
    }
    Reply.Done done = session.call(Call.post("/v1/dead-letters/redrive" + query));
    if (session.json()) {
      session.document(done.body());
      return ExitCode.OK;
    }
    session.line(letters(done.json().path("redriven").asLong()) + " redriven");
    long remaining = done.json().path("remaining").asLong();
    if (remaining > 0) {
      session.note(
          letters(remaining) + " match now: more than one call takes, or they died meanwhile");
    }
    return ExitCode.OK;
  }

  private static String letters(long count) {
    return count + (count == 1 ? " dead letter" : " dead letters");
  }
}
