package dev.millpond.server.cli.remote;

import dev.millpond.server.client.Call;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code millpond workers resume}. */
@Command(name = "resume", description = "Lets workers take jobs again.", sortOptions = false)
final class ResumeWorkerCommand extends RemoteCommand {
  @Parameters(
      paramLabel = "ID",
      arity = "1..*",
      converter = Converters.Id.class,
      description = "Ids of workers.")
  private List<String> ids = List.of();

  @Override
  int run(Session session) throws InterruptedException {
    return Each.call(
        session,
        ids,
        id -> Call.delete(DrainWorkerCommand.path(id)),
        done -> "Worker " + Field.text(done.json(), "id") + " takes jobs again");
  }
}
