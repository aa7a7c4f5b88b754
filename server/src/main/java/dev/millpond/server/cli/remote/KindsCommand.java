package dev.millpond.server.cli.remote;

import java.util.List;
import picocli.CommandLine.Command;

/** {@code millpond kinds}. */
@Command(
    name = "kinds",
    description = "Pauses and resumes kinds of jobs.",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND")
public final class KindsCommand extends Noun {
  @Override
  List<RemoteCommand> verbs() {
    return List.of(new PauseCommand("kinds"), new ResumeCommand("kinds"));
  }
}
