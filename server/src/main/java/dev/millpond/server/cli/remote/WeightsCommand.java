package dev.millpond.server.cli.remote;

import java.util.List;
import picocli.CommandLine.Command;

/** {@code millpond weights}. */
@Command(
    name = "weights",
    description = "Shows and sets how the priority classes of a queue share its slots.",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND")
public final class WeightsCommand extends Noun {
  @Override
  List<RemoteCommand> verbs() {
    return List.of(new GetWeightsCommand(), new SetWeightsCommand(), new ResetWeightsCommand());
  }
}
