package dev.millpond.server.cli.remote;

import java.util.List;
import picocli.CommandLine.Command;

/** {@code millpond jobs}. */
@Command(
    name = "jobs",
    description = "Submits jobs, shows and steers them.",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND")
public final class JobsCommand extends Noun {
  @Override
  List<RemoteCommand> verbs() {
    return List.of(
        new SubmitCommand(),
        new GetJobCommand(),
        new WhyCommand(),
        new ListJobsCommand(),
        new WatchCommand(),
        new LogCommand(),
        new CancelCommand(),
        new RunNowCommand(),
        new SetCommand());
  }
}
