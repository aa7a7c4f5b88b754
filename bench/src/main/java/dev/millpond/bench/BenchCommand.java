package dev.millpond.bench;

import dev.millpond.bench.Bench.Plan;
import dev.millpond.bench.peer.Peers;
import dev.millpond.bench.report.Report;
import dev.millpond.bench.report.TextTable;
import dev.millpond.bench.scale.CellsCommand;
import dev.millpond.bench.scale.ScaleCommand;
import dev.millpond.bench.scenario.Budget;
import dev.millpond.bench.scenario.Mode;
import dev.millpond.bench.scenario.Scenario;
import dev.millpond.bench.servers.Servers;
import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/** {@code millpond bench}: how fast it is on this machine, against the bare SQL statements. */
@Command(
    name = "millpond bench",
    subcommands = {ScaleCommand.class, CellsCommand.class},
    mixinStandardHelpOptions = true,
    description = {
      "Measures submit, end to end, drain and latency in both modes, against the bare statements.",
      "Starts PostgreSQL and Redis itself, or takes URLs. Every run is checked: each acknowledged"
          + " job ended exactly once."
    },
    footer = {"", "Exit codes: 0 ok, 1 a run was not valid, 2 usage."})
public final class BenchCommand implements Callable<Integer> {
  private static final int INVALID = 1;

  /** Read by the log's configuration. */
  private static final String LOG_LEVEL = "MILLPOND_LOG_LEVEL";

  @Spec private CommandSpec spec = CommandSpec.create();

  @Option(names = "--quick", description = "All scenarios, shortened.")
  private boolean quick;

  @Option(
      names = "--scenario",
      paramLabel = "NAME",
      split = ",",
      description =
          "submit, end-to-end, drain or latency, or one line of the table"
              + " (\"end-to-end 64 callers\"); all by default.")
  private List<String> names = List.of();

  @Option(
      names = "--mode",
      paramLabel = "MODE",
      defaultValue = "both",
      description = "streams, postgres or both (the default).")
  private String mode = "both";

  @Option(names = "--jobs", paramLabel = "N", description = "Jobs of the drain; 300000.")
  private @Nullable Integer jobs;

  @Option(names = "--seconds", paramLabel = "S", description = "Of each measurement; 5.")
  private @Nullable Integer seconds;

  @Option(
      names = "--pg-url",
      paramLabel = "URL",
      description = "JDBC URL; a database millpond_bench is made on that server, and dropped.")
  private @Nullable String pgUrl;

  @Option(
      names = "--redis-url",
      paramLabel = "URL",
      description = "redis://host:port; ALL its data is deleted.")
  private @Nullable String redisUrl;

  @Option(
      names = "--peers",
      arity = "0..1",
      paramLabel = "best|tried",
      fallbackValue = "best",
      description = {
        "Measures JobRunr and db-scheduler as well, each as configured best, or in all"
            + " configurations that were tried.",
        "They are no part of a normal build."
      })
  private @Nullable String peers;

  @Option(names = "--json", description = "The figures as JSON on standard output.")
  private boolean json;

  public static void main(String[] args) {
    if (System.getenv(LOG_LEVEL) == null) {
      System.setProperty(LOG_LEVEL, "WARN"); // the engine's news would stand between the lines
    }
    System.exit(
        new CommandLine(new BenchCommand())
            .setUsageHelpAutoWidth(true)
            .setExecutionExceptionHandler((e, command, parsed) -> {
              e.printStackTrace(command.getErr());
              return INVALID;
            })
            .execute(args));
  }

  @Override
  public Integer call() throws Exception {
    Plan plan = plan();
    if (peers != null && plan.peers().isEmpty()) {
      spec.commandLine()
          .getErr()
          .println("The peers are not built. In the folder of the sources: " + Peers.BUILD);
      return CommandLine.ExitCode.USAGE;
    }
    PrintWriter out = spec.commandLine().getOut();
    PrintWriter progress = json ? spec.commandLine().getErr() : out;
    boolean withRedis = plan.modes().contains(Mode.STREAMS);
    Report report;
    try (Servers servers = Servers.start(pgUrl, withRedis ? redisUrl : null, withRedis)) {
      report = new Bench(servers, plan, progress).run();
    }
    if (json) {
      out.println(
          JsonMapper.builder()
              .enable(SerializationFeature.INDENT_OUTPUT)
              .build()
              .writeValueAsString(report));
    } else {
      TextTable.print(out, report);
    }
    out.flush();
    return report.valid() ? CommandLine.ExitCode.OK : INVALID;
  }

  private Plan plan() {
    List<Mode> modes =
        switch (mode) {
          case "streams" -> List.of(Mode.STREAMS);
          case "postgres" -> List.of(Mode.POSTGRES);
          case "both" -> List.of(Mode.STREAMS, Mode.POSTGRES);
          default -> throw usage("--mode must be streams, postgres or both, is " + mode);
        };
    List<Scenario> all = Bench.scenarios();
    for (String name : names) {
      if (all.stream().noneMatch(s -> s.title().startsWith(name))) {
        throw usage(
            "--scenario must be the start of one of "
                + all.stream().map(Scenario::title).toList()
                + ", is "
                + name);
      }
    }
    List<Scenario> scenarios =
        all.stream()
            .filter(s -> names.isEmpty() || names.stream().anyMatch(s.title()::startsWith))
            .toList();
    long millis = inRange("--seconds", seconds, 1, 600, quick ? 1 : 5) * 1_000L;
    int drain = inRange("--jobs", jobs, 1, 5_000_000, quick ? 60_000 : 300_000);
    return quick
        ? new Plan(modes, scenarios, 3_000, new Budget(300, millis, drain), peers())
        : new Plan(modes, scenarios, 10_000, new Budget(1_500, millis, drain), peers());
  }

  private Peers peers() {
    return switch (peers) {
      case null -> Peers.none();
      case "best" -> Peers.found();
      case "tried" -> Peers.foundInAllConfigurations();
      default -> throw usage("--peers must be best or tried, is " + peers);
    };
  }

  private int inRange(String flag, @Nullable Integer given, int least, int most, int otherwise) {
    int value = given == null ? otherwise : given;
    if (value < least || value > most) {
      throw usage(flag + " must be " + least + " to " + most + ", is " + value);
    }
    return value;
  }

  private ParameterException usage(String message) {
    return new ParameterException(spec.commandLine(), message);
  }
}
