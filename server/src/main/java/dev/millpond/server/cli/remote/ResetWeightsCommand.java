package dev.millpond.server.cli.remote;

import dev.millpond.server.cli.ExitCode;
import dev.millpond.server.client.Call;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code millpond weights reset}. */
@Command(
    name = "reset",
    description = "Lets the configured weights of a queue hold again.",
    sortOptions = false)
final class ResetWeightsCommand extends RemoteCommand {
  @Parameters(paramLabel = "QUEUE", description = "The queue's name.")
  private String queue = "";

  @Override
  int run(Session session) throws InterruptedException {
    GetWeightsCommand.show(session, session.call(Call.delete(GetWeightsCommand.path(queue))));
    return ExitCode.OK;
  }
}
