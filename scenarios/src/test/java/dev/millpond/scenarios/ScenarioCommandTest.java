package dev.millpond.scenarios;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

class ScenarioCommandTest {
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  private int run(String... args) {
    CommandLine command = ScenarioCommand.commandLine();
    command.setOut(new PrintWriter(out, true));
    command.setErr(new PrintWriter(err, true));
    return command.execute(args);
  }

  @Test
  void scenariosAreListed() {
    assertThat(run("--list")).isZero();
    assertThat(out.toString())
        .contains("flood ", "weights ", "weights-unwoken ", "limits ", "pause ");
  }

  @Test
  void aNameIsNeededAndHasToBeKnown() {
    assertThat(run()).isEqualTo(2);
    assertThat(err.toString()).contains("Name a scenario");
    assertThat(run("weights", "storm")).isEqualTo(2);
    assertThat(err.toString()).contains("There is no scenario storm; --list shows them");
  }
}
