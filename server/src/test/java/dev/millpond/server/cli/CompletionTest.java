package dev.millpond.server.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.millpond.server.support.CliRun;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The completion script, in a real bash. */
class CompletionTest {
  private static final Path BASH = Path.of("/bin/bash");

  @TempDir private Path directory = Path.of("");

  @BeforeEach
  void needsBash() {
    assumeTrue(Files.isExecutable(BASH), "there is no bash here");
  }

  @Test
  void theScriptIsValid() throws IOException, InterruptedException {
    for (String shell : List.of("bash", "zsh")) {
      Path script = script(shell);
      assertThat(bash("bash -n " + script)).isEmpty();
    }
  }

  @Test
  void nounsVerbsAndOptionsAreCompleted() throws IOException, InterruptedException {
    Path script = script("bash");
    assertThat(complete(script, "millpond", "j")).isEqualTo("jobs");
    assertThat(complete(script, "millpond", "jobs", "wa")).isEqualTo("watch");
    assertThat(complete(script, "millpond", "dlq", "re")).isEqualTo("redrive");
    assertThat(complete(script, "millpond", "weights", "re")).isEqualTo("reset");
    assertThat(complete(script, "millpond", "jobs", "submit", "--commit"))
        .contains("--commit-every");
    assertThat(complete(script, "millpond", "completion", "z")).isEqualTo("zsh");
  }

  @Test
  void anUnknownShellIsRefused() {
    CliRun run = CliRun.run("completion", "tcsh");
    assertThat(run.code()).isEqualTo(2);
    assertThat(run.err()).contains("tcsh");
    assertThat(CliRun.run("completion").code()).isEqualTo(2);
  }

  private Path script(String shell) throws IOException {
    CliRun run = CliRun.run("completion", shell);
    assertThat(run.code()).as(run::err).isZero();
    return Files.writeString(directory.resolve(shell + ".sh"), run.out());
  }

  /** What bash would offer for the last word. */
  private static String complete(Path script, String... words)
      throws IOException, InterruptedException {
    return bash(
        "source "
            + script
            + "; COMP_WORDS=("
            + String.join(" ", words)
            + "); COMP_CWORD="
            + (words.length - 1)
            + "; COMP_LINE='"
            + String.join(" ", words)
            + "'; COMP_POINT=${#COMP_LINE}; _complete_millpond; printf '%s ' \"${COMPREPLY[@]}\"");
  }

  private static String bash(String line) throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(BASH.toString(), "--norc", "-c", line).redirectErrorStream(true).start();
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
    return out.strip();
  }
}
