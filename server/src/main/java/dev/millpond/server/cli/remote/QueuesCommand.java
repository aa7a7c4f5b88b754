package dev.millpond.server.cli.remote;

import java.util.List;
import picocli.CommandLine.Command;

/** {@code millpond queues}. */
@Command(
    name = "queues",
    description = "Shows the queues with their depths, and changes their settings.",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND")
public final class QueuesCommand extends Noun {
  @Override
  List<RemoteCommand> verbs() {
    return List.of(
        new ListQueuesCommand(),
        new GetQueueCommand(),
        new SetQueueCommand(),
        new PauseCommand("queues"),
        new ResumeCommand("queues"));
  }
}
