package dev.millpond.server.cli.remote;

import java.util.List;
import picocli.CommandLine.Command;

/** {@code millpond pauses}. */
@Command(
    name = "pauses",
    description = "Shows what is paused.",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND")
public final class PausesCommand extends Noun {
  @Override
  List<RemoteCommand> verbs() {
    return List.of(new ListPausesCommand());
  }
}
