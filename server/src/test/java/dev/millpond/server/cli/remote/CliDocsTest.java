package dev.millpond.server.cli.remote;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.server.cli.MillpondCommand;
import dev.millpond.server.cli.terminal.Terminal;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import picocli.CommandLine.Help.Ansi;

/**
 * The reference in docs/cli.md is what the commands say of themselves. The test compares; with
 * {@code -Dmillpond.docs.write=true} it writes.
 */
class CliDocsTest {
  private static final boolean WRITE = Boolean.getBoolean("millpond.docs.write");
  private static final String HOW =
      "mvn test -pl server -am -Dtest=CliDocsTest -Dsurefire.failIfNoSpecifiedTests=false"
          + " -Dmillpond.docs.write=true";
  private static final String START =
      "<!-- The commands' own help, from here on: CliDocsTest -->\n";
  private static final List<String> NOUNS =
      List.of(
          "jobs",
          "dead-letters",
          "queues",
          "weights",
          "kinds",
          "tags",
          "pauses",
          "limits",
          "workers",
          "keys",
          "audit",
          "completion");
  private static final int COLUMNS = 100;

  @Test
  void theReferenceIsWhatTheCommandsSay() throws IOException {
    Path file = file();
    String text = Files.readString(file);
    int start = text.indexOf(START);
    assertThat(start).as("the mark in " + file).isPositive();
    String written = text.substring(0, start + START.length()) + reference();
    if (WRITE) {
      Files.writeString(file, written);
    }
    assertThat(Files.readString(file)).as("write %s again: %s", file, HOW).isEqualTo(written);
  }

  private static String reference() {
    CommandLine program =
        MillpondCommand.commandLine(Terminal.piped(Map.of(), InputStream.nullInputStream()));
    StringBuilder text = new StringBuilder();
    for (String name : NOUNS) {
      CommandLine noun = Objects.requireNonNull(program.getSubcommands().get(name), name);
      if (noun.getSubcommands().isEmpty()) {
        append(text, noun);
      }
      new LinkedHashSet<>(noun.getSubcommands().values()).forEach(verb -> append(text, verb));
    }
    return text.toString();
  }

  private static void append(StringBuilder text, CommandLine command) {
    command.setUsageHelpAutoWidth(false).setUsageHelpWidth(COLUMNS);
    text.append("\n### ")
        .append(command.getCommandSpec().qualifiedName())
        .append("\n\n```\n")
        .append(command.getUsageMessage(Ansi.OFF).stripTrailing())
        .append("\n```\n");
  }

  /** Tests run in the folder of their module or above it. */
  private static Path file() {
    Path here = Path.of("docs", "cli.md");
    return Files.exists(here) ? here : Path.of("..").resolve(here);
  }
}
