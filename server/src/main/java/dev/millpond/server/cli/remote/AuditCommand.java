package dev.millpond.server.cli.remote;

import java.util.List;
import picocli.CommandLine.Command;

/** {@code millpond audit}. */
@Command(
    name = "audit",
    description = "Shows what callers have changed.",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND")
public final class AuditCommand extends Noun {
  @Override
  List<RemoteCommand> verbs() {
    return List.of(new ListAuditCommand());
  }
}
