package dev.millpond.server.cli;

import java.io.PrintWriter;
import java.util.Locale;
import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code millpond completion}: a script for the user's shell, made from the commands. */
@Command(
    name = CompletionCommand.NAME,
    description = {
      "Prints a completion script for a shell.",
      "For bash: source <(millpond completion bash); for zsh: source <(millpond completion zsh)."
    },
    mixinStandardHelpOptions = true)
final class CompletionCommand implements Runnable {
  static final String NAME = "completion";

  /** The shells. The script for bash is one for zsh too: it starts zsh's bashcompinit itself. */
  enum Shell {
    BASH,
    ZSH;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  @Spec private CommandSpec spec = CommandSpec.create();

  @Parameters(paramLabel = "SHELL", description = "${COMPLETION-CANDIDATES}.")
  private Shell shell = Shell.BASH;

  @Override
  public void run() {
    CommandLine root = spec.root().commandLine();
    String script =
        switch (shell) {
          case BASH, ZSH -> AutoComplete.bash(root.getCommandName(), root);
        };
    PrintWriter out = spec.commandLine().getOut();
    out.print(script);
    out.flush();
  }
}
