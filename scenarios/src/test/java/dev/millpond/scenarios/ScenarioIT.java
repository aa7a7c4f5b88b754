package dev.millpond.scenarios;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;

/**
 * One scenario whose checks do not depend on how fast the machine is; by hand with {@code
 * -DskipITs=false}, as are all by {@code ./millpond scenario}.
 */
class ScenarioIT {
  @Test
  void limitsHoldWhileWorkersAreKilled(@TempDir Path data) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    CommandLine command = ScenarioCommand.commandLine();
    command.setOut(new PrintWriter(out, true));
    command.setErr(new PrintWriter(err, true));

    int exit = command.execute("limits", "--json", "--data", data.resolve("run").toString());

    assertThat(exit).as("%s%n%s", out, err).isZero();
    JsonNode report = new ObjectMapper().readTree(out.toString());
    assertThat(report.get("holds").asBoolean()).isTrue();
    assertThat(report.get("figures").get("kills").asInt()).isPositive();
  }
}
