package dev.millpond.bench;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.bench.scenario.Scenario;
import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

class BenchCommandTest {
  private static final int USAGE = 2;

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--secnds 3                               | Unknown options",
        "--seconds 0                              | --seconds must be 1 to 600, is 0",
        "--seconds ten                            | Invalid value",
        "--jobs 5000001                           | --jobs must be 1 to 5000000",
        "--mode redis                             | --mode must be streams, postgres or both",
        "--scenario submitt                       | is 'submitt'",
        "--all --quick                            | --all goes with neither",
        "--all --scenario drain                   | --all goes with neither",
        "--pg-url postgres://host/db              | --pg-url must start with jdbc:postgresql:",
        "--redis-url localhost:6379               | --redis-url must be redis://host:port",
        "--redis-url redis://h:1 --mode postgres  | of no use",
        "--redis-url redis://h:1 --scenario shards | need 4 Redis servers, --redis-url has 1",
        "--scenario shards --mode postgres        | nothing to run",
        "--html /nowhere/at/all.html              | --html must be a file",
      })
  void aWrongFlagIsRefusedBeforeAnythingStarts(String arguments, String message) {
    StringWriter err = new StringWriter();
    CommandLine command = BenchCommand.commandLine().setErr(new PrintWriter(err));

    assertThat(command.execute(arguments.strip().split(" ", -1))).isEqualTo(USAGE);

    assertThat(err.toString()).contains(message);
  }

  @Test
  void everyScenarioIsListedWithTheRunsThatHaveIt() {
    StringWriter out = new StringWriter();
    CommandLine command = BenchCommand.commandLine().setOut(new PrintWriter(out));

    assertThat(command.execute("--list")).isZero();

    assertThat(out.toString().lines())
        .hasSize(Plan.all().size())
        .anyMatch(line -> line.matches("end-to-end 256 callers +--quick, default, --all"))
        .anyMatch(line -> line.matches("backlog 5M waiting +--all"));
  }

  @Test
  void everyGroupOfScenariosIsInTheTableOfTheDocumentation() throws Exception {
    String page = Documentation.performance();

    assertThat(Plan.all())
        .extracting(Scenario::name)
        .allSatisfy(
            name -> assertThat(page).containsPattern("(?m)^\\| ([a-z-]+, )?" + name + "[ ,]"));
  }
}
