package dev.millpond.server.cli.remote;

import java.util.List;
import picocli.CommandLine.Command;

/** {@code millpond keys}. */
@Command(
    name = "keys",
    description = "Makes, lists and revokes the keys of callers.",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND")
public final class KeysCommand extends Noun {
  @Override
  List<RemoteCommand> verbs() {
    return List.of(new CreateKeyCommand(), new ListKeysCommand(), new RevokeKeyCommand());
  }
}
