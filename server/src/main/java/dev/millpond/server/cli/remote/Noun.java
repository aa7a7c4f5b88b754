package dev.millpond.server.cli.remote;

import dev.millpond.server.cli.terminal.Terminal;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * A command that only has verbs. They are added by a call of their own: making them all takes a
 * quarter of a second, and who calls another noun need not wait for it.
 */
public abstract class Noun implements Runnable {
  @Spec private CommandSpec spec = CommandSpec.create();

  Noun() {}

  /** New verbs, in the order in which they are listed. */
  abstract List<RemoteCommand> verbs();

  /**
   * Adds the verbs to the noun's command.
   *
   * @param terminal where they run
   */
  public final void addVerbs(CommandLine noun, Terminal terminal) {
    for (RemoteCommand verb : verbs()) {
      verb.runsIn(terminal);
      noun.addSubcommand(verb);
    }
  }

  @Override
  public final void run() {
    throw new ParameterException(spec.commandLine(), "A command is missing");
  }
}
