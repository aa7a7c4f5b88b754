package dev.millpond.server.cli.remote;

import dev.millpond.server.cli.ExitCode;
import dev.millpond.server.client.Call;
import dev.millpond.server.client.Reply;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.JsonNode;

/** {@code millpond jobs why}. */
@Command(
    name = "why",
    description = "Says why a job is not running, the most decisive reason first.",
    sortOptions = false)
final class WhyCommand extends RemoteCommand {
  @Parameters(paramLabel = "ID", converter = Converters.Id.class, description = "The job's id.")
  private String id = "";

  @Override
  int run(Session session) throws InterruptedException {
    Reply.Done why = session.call(Call.get(GetJobCommand.path(id) + "/why"));
    if (session.json()) {
      session.document(why.body());
      return ExitCode.OK;
    }
    session.line("Job " + Field.text(why.json(), "id") + " is " + Field.text(why.json(), "state"));
    for (JsonNode hold : why.json().path("holds")) {
      session.line("- " + Field.text(hold, "text"));
    }
    session.line("-> " + Field.text(why.json(), "nextStep"));
    return ExitCode.OK;
  }
}
