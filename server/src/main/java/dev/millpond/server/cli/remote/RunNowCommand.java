package dev.millpond.server.cli.remote;

import dev.millpond.server.client.Call;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code millpond jobs run-now}. */
@Command(
    name = "run-now",
    description = "Makes scheduled jobs runnable before their time.",
    sortOptions = false)
final class RunNowCommand extends RemoteCommand {
  @Parameters(
      paramLabel = "ID",
      arity = "1..*",
      converter = Converters.Id.class,
      description = "Ids of jobs.")
  private List<String> ids = List.of();

  @Override
  int run(Session session) throws InterruptedException {
    return Each.call(
        session,
        ids,
        id -> Call.post(GetJobCommand.path(id) + "/run-now"),
        done -> "Job " + Field.text(done.json(), "id") + " is " + Field.text(done.json(), "state"));
  }
}
