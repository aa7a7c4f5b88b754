package dev.millpond.scenarios;

import dev.millpond.chaos.fleet.Directories;
import dev.millpond.chaos.fleet.FleetException;
import dev.millpond.embedded.EmbeddedServerException;
import dev.millpond.engine.books.BooksReport;
import dev.millpond.scenarios.play.Scenario;
import dev.millpond.scenarios.play.Scenarios;
import dev.millpond.scenarios.report.Printed;
import dev.millpond.scenarios.report.Report;
import dev.millpond.scenarios.stage.Stage;
import dev.millpond.scenarios.stage.StageException;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code millpond scenario}: flow control shown on a fleet of real processes. */
@Command(
    name = "millpond scenario",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Runs a fleet of server processes with PostgreSQL and Redis on this machine, does to it what"
          + " the scenario says, and checks what has to hold: by what the workers have written"
          + " down, what the API says, and the books."
    },
    footer = {
      "",
      "Exit codes: 0 all holds, 1 something does not, 2 usage, 3 the fleet did not come up."
    })
public final class ScenarioCommand implements Callable<Integer> {
  private static final int WRONG = 1;
  private static final int NO_FLEET = 3;

  /** Read by the log's configuration. */
  private static final String LOG_LEVEL = "MILLPOND_LOG_LEVEL";

  @Spec private CommandSpec spec = CommandSpec.create();

  @Parameters(
      paramLabel = "NAME",
      arity = "0..*",
      description = "Scenarios, one after the other; all for each of them. See --list.")
  private List<String> names = List.of();

  @Option(names = "--list", description = "Shows the scenarios.")
  private boolean list;

  @Option(
      names = "--data",
      paramLabel = "DIR",
      description =
          "An empty or new directory for everything; removed when all holds. Default: a temporary"
              + " one.")
  private @Nullable Path data;

  @Option(names = "--keep", description = "Keeps the directory in any case.")
  private boolean keep;

  @Option(names = "--json", description = "A line of JSON for each scenario.")
  private boolean json;

  @Option(
      names = "--charts",
      description = "Shows what was seen over time as Mermaid charts, for Markdown.")
  private boolean charts;

  private final long beganNanos = System.nanoTime();

  public static void main(String[] args) {
    if (System.getenv(LOG_LEVEL) == null) {
      System.setProperty(LOG_LEVEL, "WARN"); // of this process; members have files
    }
    System.exit(commandLine().execute(args));
  }

  /** The command as it is run. */
  static CommandLine commandLine() {
    return new CommandLine(new ScenarioCommand())
        .setUsageHelpAutoWidth(true)
        .setExecutionExceptionHandler(ScenarioCommand::failed);
  }

  private static int failed(Exception e, CommandLine command, CommandLine.ParseResult parsed) {
    if (e instanceof FleetException
        || e instanceof StageException
        || e instanceof EmbeddedServerException) {
      command.getErr().println(e.getMessage());
    } else {
      e.printStackTrace(command.getErr());
    }
    return NO_FLEET;
  }

  @Override
  public Integer call() throws Exception {
    if (list) {
      for (Scenario each : Scenarios.all()) {
        out().printf("%-16s %s%n", each.name(), each.shows());
      }
      out().flush();
      return CommandLine.ExitCode.OK;
    }
    boolean holds = true;
    for (Scenario each : chosen()) {
      Report report = play(each);
      holds &= report.holds();
      if (json) {
        out().println(Printed.json(report));
        out().flush();
      } else {
        Printed.text(out(), report);
      }
      if (charts && !report.series().isEmpty()) {
        Printed.chart(out(), report);
      }
    }
    return holds ? CommandLine.ExitCode.OK : WRONG;
  }

  private List<Scenario> chosen() {
    if (names.isEmpty()) {
      throw new ParameterException(spec.commandLine(), "Name a scenario; --list shows them");
    }
    if (names.equals(List.of("all"))) {
      return Scenarios.all();
    }
    return names.stream()
        .map(name ->
            Scenarios.named(name)
                .orElseThrow(() ->
                    new ParameterException(
                        spec.commandLine(),
                        "There is no scenario " + name + "; --list shows them")))
        .toList();
  }

  private Report play(Scenario scenario) throws Exception {
    Path home = home(scenario);
    Report report = new Report(scenario.name());
    boolean whole = false;
    try (Stage stage =
        Stage.open(
            home,
            scenario.fleet(),
            scenario.slots(),
            scenario.wiring(),
            line -> says(scenario, line))) {
      scenario.play(stage, report);
      BooksReport books = stage.books();
      report.check(
          "the books add up",
          books.findings().isEmpty(),
          books.findings().isEmpty() ? books.jobs() + " jobs" : books.findings().toString());
      Map<String, String> wrong = stage.stop();
      report.check(
          "every process drains and exits with 0",
          wrong.isEmpty(),
          wrong.isEmpty() ? "all" : wrong.toString());
      whole = true;
    } finally {
      if (whole && report.holds() && !keep) {
        Directories.delete(home);
      } else {
        spec.commandLine().getErr().println("what there is to look at is in " + home);
      }
    }
    return report;
  }

  private Path home(Scenario scenario) throws IOException {
    Path home =
        data == null
            ? Files.createTempDirectory("millpond-scenario-")
            : Files.createDirectories(data.resolve(scenario.name()));
    try (Stream<Path> files = Files.list(home)) {
      if (files.findAny().isPresent()) {
        throw new StageException(home + " is not empty; name another directory");
      }
    }
    // The user that root becomes for PostgreSQL has to enter it.
    Files.setPosixFilePermissions(home, PosixFilePermissions.fromString("rwxr-xr-x"));
    return home.toRealPath();
  }

  private void says(Scenario scenario, String line) {
    PrintWriter err = spec.commandLine().getErr();
    err.printf(
        Locale.ROOT,
        "%6.1f s  %s: %s%n",
        (System.nanoTime() - beganNanos) / 1e9,
        scenario.name(),
        line);
    err.flush();
  }

  private PrintWriter out() {
    return spec.commandLine().getOut();
  }
}
