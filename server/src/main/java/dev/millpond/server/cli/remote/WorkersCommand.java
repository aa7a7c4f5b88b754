package dev.millpond.server.cli.remote;

import java.util.List;
import picocli.CommandLine.Command;

/** {@code millpond workers}. */
@Command(
    name = "workers",
    description = "Shows the workers, and drains them one by one.",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND")
public final class WorkersCommand extends Noun {
  @Override
  List<RemoteCommand> verbs() {
    return List.of(new ListWorkersCommand(), new DrainWorkerCommand(), new ResumeWorkerCommand());
  }
}
