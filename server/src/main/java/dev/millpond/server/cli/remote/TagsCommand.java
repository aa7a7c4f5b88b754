package dev.millpond.server.cli.remote;

import java.util.List;
import picocli.CommandLine.Command;

/** {@code millpond tags}. */
@Command(
    name = "tags",
    description = "Pauses and resumes jobs by their tags.",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND")
public final class TagsCommand extends Noun {
  @Override
  List<RemoteCommand> verbs() {
    return List.of(new PauseCommand("tags"), new ResumeCommand("tags"));
  }
}
