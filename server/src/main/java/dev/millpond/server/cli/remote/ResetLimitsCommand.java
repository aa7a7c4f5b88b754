package dev.millpond.server.cli.remote;

import dev.millpond.server.cli.ExitCode;
import dev.millpond.server.client.Call;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code millpond limits reset}. */
@Command(
    name = "reset",
    description = "Takes back the limits of a queue or kind.",
    sortOptions = false)
final class ResetLimitsCommand extends RemoteCommand {
  @Parameters(paramLabel = "NAME", description = "The queue's or kind's name.")
  private String name = "";

  @Option(names = "--kind", description = "NAME is a kind, not a queue.")
  private boolean kind;

  @Override
  int run(Session session) throws InterruptedException {
    GetLimitsCommand.show(session, session.call(Call.delete(GetLimitsCommand.path(kind, name))));
    return ExitCode.OK;
  }
}
