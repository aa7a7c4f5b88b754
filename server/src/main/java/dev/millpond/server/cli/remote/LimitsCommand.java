package dev.millpond.server.cli.remote;

import java.util.List;
import picocli.CommandLine.Command;

/** {@code millpond limits}. */
@Command(
    name = "limits",
    description =
        "Shows and sets how many jobs of a queue or kind run at a time, and start in one.",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND")
public final class LimitsCommand extends Noun {
  @Override
  List<RemoteCommand> verbs() {
    return List.of(new GetLimitsCommand(), new SetLimitsCommand(), new ResetLimitsCommand());
  }
}
