package dev.millpond.server.cli.remote;

import java.util.List;
import picocli.CommandLine.Command;

/** {@code millpond dead-letters}. */
@Command(
    name = "dead-letters",
    aliases = "dlq",
    description = "Shows the jobs that failed for good, changes and redrives them.",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND")
public final class DeadLettersCommand extends Noun {
  @Override
  List<RemoteCommand> verbs() {
    return List.of(
        new ListDeadLettersCommand(),
        new ShowDeadLetterCommand(),
        new EditCommand(),
        new RedriveCommand());
  }
}
