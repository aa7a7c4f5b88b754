package dev.millpond.bench;

import dev.millpond.bench.peer.Peers;
import dev.millpond.bench.report.HtmlPage;
import dev.millpond.bench.report.Json;
import dev.millpond.bench.report.Report;
import dev.millpond.bench.report.TextTable;
import dev.millpond.bench.scale.CellsCommand;
import dev.millpond.bench.scale.ScaleCommand;
import dev.millpond.bench.scenario.Budget;
import dev.millpond.bench.scenario.Extent;
import dev.millpond.bench.scenario.Mode;
import dev.millpond.bench.scenario.Scenario;
import dev.millpond.bench.servers.Cleanup;
import dev.millpond.bench.servers.Servers;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code millpond bench}: how fast it is on this machine, against the bare SQL statements. */
@Command(
    name = "millpond bench",
    subcommands = {ScaleCommand.class, CellsCommand.class},
    mixinStandardHelpOptions = true,
    description = {
      "Measures how fast Millpond is on this machine, against the bare SQL statements.",
      "Starts PostgreSQL and Redis itself, or takes URLs. Every run is checked: each acknowledged"
          + " job ran and ended exactly once. Some minutes by default."
    },
    footer = {"", "Exit codes: 0 ok, 1 a run was not valid, 2 usage, 130 stopped."})
public final class BenchCommand implements Callable<Integer> {
  private static final int INVALID = 1;
  private static final int LONG_TIMES = 8;

  /** A p99 has to rest on more than one of them. */
  private static final int PACE_JOBS = 300;

  /** As few as a quick run has time for: its p99 is one or two of them. */
  private static final int PACE_JOBS_QUICK = 150;

  /** Read by the log's configuration. */
  private static final String LOG_LEVEL = "MILLPOND_LOG_LEVEL";

  private final Cleanup cleanup = new Cleanup();

  @Spec private CommandSpec spec = CommandSpec.create();

  @Option(names = "--quick", description = "The main lines, one second each: under a minute.")
  private boolean quick;

  @Option(
      names = "--all",
      description = "Also what takes long: backlogs up to 5M, pinned snapshot, processes, shards.")
  private boolean all;

  @Option(
      names = "--scenario",
      paramLabel = "NAME",
      split = ",",
      description = "Groups (submit), lines (\"submit 64 callers\") or starts of them; see --list.")
  private List<String> names = List.of();

  @Option(names = "--list", description = "Shows the scenarios, and which runs have them.")
  private boolean list;

  @Option(
      names = "--mode",
      paramLabel = "MODE",
      defaultValue = "both",
      description = "streams, postgres or both (the default).")
  private String mode = "both";

  @Option(names = "--jobs", paramLabel = "N", description = "Jobs of the drain; 500000.")
  private @Nullable Integer jobs;

  @Option(names = "--seconds", paramLabel = "S", description = "Of each measurement; 4.")
  private @Nullable Integer seconds;

  @Option(
      names = "--pg-url",
      paramLabel = "URL",
      description = "JDBC URL; a database millpond_bench is made on that server, and dropped.")
  private @Nullable String pgUrl;

  @Option(
      names = "--redis-url",
      paramLabel = "URL",
      split = ",",
      description = "redis://host:port, several for shards; ALL their data is deleted.")
  private List<String> redisUrls = List.of();

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

  @Option(
      names = "--html",
      paramLabel = "FILE",
      description = "Writes a report with charts, one page that needs no network.")
  private @Nullable Path html;

  public static void main(String[] args) {
    if (System.getenv(LOG_LEVEL) == null) {
      System.setProperty(LOG_LEVEL, "WARN"); // the engine's news would stand between the lines
    }
    try {
      System.exit(commandLine().execute(args));
    } catch (Error e) {
      e.printStackTrace();
      System.exit(INVALID); // threads of the run would keep the program alive
    }
  }

  /** The command as it is run. */
  static CommandLine commandLine() {
    BenchCommand bench = new BenchCommand();
    return new CommandLine(bench)
        .setUsageHelpAutoWidth(true)
        .setExecutionExceptionHandler((e, command, parsed) -> {
          if (!bench.cleanup.stopping()) {
            e.printStackTrace(command.getErr());
          }
          return INVALID;
        });
  }

  @Override
  public Integer call() throws Exception {
    PrintWriter out = spec.commandLine().getOut();
    if (list) {
      list(out);
      return CommandLine.ExitCode.OK;
    }
    Plan plan = plan();
    checkHtml();
    if (peers != null && plan.peers().isEmpty()) {
      spec.commandLine()
          .getErr()
          .println("The peers are not built. In the folder of the sources: " + Peers.BUILD);
      return CommandLine.ExitCode.USAGE;
    }
    PrintWriter progress = json ? spec.commandLine().getErr() : out;
    Report report;
    try (cleanup) {
      Servers servers =
          Servers.start(pgUrl, redisUrls, plan.modes().contains(Mode.STREAMS), cleanup::add);
      report = new Bench(servers, plan, progress).run(cleanup);
    }
    if (json) {
      out.println(Json.of(report));
    } else {
      TextTable.print(out, report);
    }
    if (html != null) {
      Files.writeString(html, HtmlPage.of(report));
      progress.println("written: " + html.toAbsolutePath());
    }
    progress.flush();
    out.flush();
    return report.valid() ? CommandLine.ExitCode.OK : INVALID;
  }

  private static void list(PrintWriter out) {
    for (Scenario scenario : Plan.all()) {
      String runs =
          switch (scenario.extent()) {
            case QUICK -> "--quick, default, --all";
            case USUAL -> "default, --all";
            case LONG -> "--all";
          };
      out.printf("%-36s %s%n", scenario.title(), runs);
    }
    out.flush();
  }

  private Plan plan() {
    List<Mode> modes =
        switch (mode) {
          case "streams" -> List.of(Mode.STREAMS);
          case "postgres" -> List.of(Mode.POSTGRES);
          case "both" -> List.of(Mode.STREAMS, Mode.POSTGRES);
          default -> throw usage("--mode must be streams, postgres or both, is " + mode);
        };
    if (all && (quick || !names.isEmpty())) {
      throw usage("--all goes with neither --quick nor --scenario");
    }
    checkUrls(modes);
    long millis = inRange("--seconds", seconds, 1, 600, quick ? 1 : 4) * 1_000L;
    int drain = inRange("--jobs", jobs, 1, 5_000_000, quick ? 100_000 : 500_000);
    Plan plan =
        quick
            ? new Plan(
                modes,
                chosen(),
                1_500,
                new Budget(250, millis, LONG_TIMES * millis, drain, PACE_JOBS_QUICK),
                peers())
            : new Plan(
                modes,
                chosen(),
                10_000,
                new Budget(1_500, millis, LONG_TIMES * millis, drain, PACE_JOBS),
                peers());
    if (plan.measurements() == 0) {
      throw usage("nothing to run: " + names + " is not measured in mode " + mode);
    }
    if (!redisUrls.isEmpty() && plan.redisServers() > redisUrls.size()) {
      throw usage(
          "the scenarios need %d Redis servers, --redis-url has %d"
              .formatted(plan.redisServers(), redisUrls.size()));
    }
    return plan;
  }

  private Peers peers() {
    return switch (peers) {
      case null -> Peers.none();
      case "best" -> Peers.found();
      case "tried" -> Peers.foundInAllConfigurations();
      default -> throw usage("--peers must be best or tried, is " + peers);
    };
  }

  private List<Scenario> chosen() {
    if (names.isEmpty()) {
      Extent extent = quick ? Extent.QUICK : all ? Extent.LONG : Extent.USUAL;
      List<Scenario> chosen = Plan.of(extent);
      return redisUrls.isEmpty()
          ? chosen
          : chosen.stream().filter(each -> each.redisServers() <= redisUrls.size()).toList();
    }
    try {
      return Plan.named(names);
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
    }
  }

  private void checkUrls(List<Mode> modes) {
    if (pgUrl != null && !pgUrl.startsWith("jdbc:postgresql:")) {
      throw usage("--pg-url must start with jdbc:postgresql:, is " + pgUrl);
    }
    for (String url : redisUrls) {
      if (!url.matches("redis://[^/]+/?")) {
        throw usage("--redis-url must be redis://host:port, is " + url);
      }
    }
    if (!redisUrls.isEmpty() && !modes.contains(Mode.STREAMS)) {
      throw usage("--redis-url is of no use with --mode postgres");
    }
  }

  /** Before the run rather than after it. */
  private void checkHtml() {
    if (html == null) {
      return;
    }
    Path folder = html.toAbsolutePath().getParent();
    if (Files.isDirectory(html) || folder == null || !Files.isWritable(folder)) {
      throw usage("--html must be a file in a folder that can be written to, is " + html);
    }
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
