package dev.millpond.server.cli.remote;

import dev.millpond.server.client.Call;
import dev.millpond.server.client.Reply;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code millpond jobs cancel}. */
@Command(
    name = "cancel",
    description = "Cancels jobs: a waiting one ends at once, a running one is told to stop.",
    sortOptions = false)
final class CancelCommand extends RemoteCommand {
  @Parameters(
      paramLabel = "ID",
      arity = "1..*",
      converter = Converters.Id.class,
      description = "Ids of jobs.")
  private List<String> ids = List.of();

  @Override
  int run(Session session) throws InterruptedException {
    return Each.call(
        session, ids, id -> Call.post(GetJobCommand.path(id) + "/cancel"), CancelCommand::text);
  }

  private static String text(Reply.Done done) {
    String job = "Job " + Field.text(done.json(), "id");
    return done.json().path("running").asBoolean(false)
        ? job + " was told to stop; jobs watch shows when it has"
        : job + " is " + Field.text(done.json(), "state");
  }
}
