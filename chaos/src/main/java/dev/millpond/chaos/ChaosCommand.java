package dev.millpond.chaos;

import dev.millpond.chaos.campaign.Campaign;
import dev.millpond.chaos.campaign.CampaignFolder;
import dev.millpond.chaos.campaign.CampaignFolder.Progress;
import dev.millpond.chaos.campaign.CampaignPlan;
import dev.millpond.chaos.campaign.Result;
import dev.millpond.chaos.fault.FaultKind;
import dev.millpond.chaos.fault.FaultKinds;
import dev.millpond.chaos.fleet.FleetException;
import dev.millpond.chaos.fleet.FleetPlan;
import dev.millpond.chaos.report.JsonLines;
import dev.millpond.chaos.report.TextReport;
import dev.millpond.embedded.EmbeddedServerException;
import dev.millpond.server.config.DurationText;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code millpond chaos}: a fleet under seeded faults, and a check that no job was lost. */
@Command(
    name = "millpond chaos",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    subcommands = UpgradeCommand.class,
    description = {
      "Runs a fleet of server processes with PostgreSQL and Redis on this machine, lets clients"
          + " submit jobs, and lets faults of a seed happen: processes killed and frozen, Redis"
          + " and its data lost, PostgreSQL crashed, connections ended.",
      "Then checks each job that was ever asked for: acknowledged ones are there and ended once,"
          + " refused ones are not there, no end was taken from a stale attempt, no effect came"
          + " twice, the books add up."
    },
    footer = {
      "",
      "Exit codes: 0 all in order, 1 something was lost, unexpected, stale or double, 2 usage,"
          + " 3 the fleet did not start or stand up again."
    })
public final class ChaosCommand implements Callable<Integer> {
  private static final int WRONG = 1;
  private static final int NO_FLEET = 3;

  /** Read by the log's configuration. */
  private static final String LOG_LEVEL = "MILLPOND_LOG_LEVEL";

  private static final int SLOTS_MOST = 1_000;
  private static final int BACKLOG_MOST = 1_000_000;
  private static final int FAULTS_MOST = 1_000_000;
  private static final int RATE_MOST = 20_000;

  /** How much a campaign is. */
  enum Profile {
    /** About 75 s in all. */
    QUICK(60_000, FAULTS_MOST, Duration.ofSeconds(60)),
    /** In parts: the same command with --resume goes on. */
    FULL(1_000_000, 1_000, Duration.ofMinutes(10));

    private final long jobs;
    private final int faults;
    private final Duration lasts;

    Profile(long jobs, int faults, Duration lasts) {
      this.jobs = jobs;
      this.faults = faults;
      this.lasts = lasts;
    }

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  @Spec private CommandSpec spec = CommandSpec.create();

  @Option(
      names = "--profile",
      paramLabel = "PROFILE",
      defaultValue = "quick",
      description =
          "quick: about 75 s; full: 1000 faults and a million jobs, in parts of ten minutes."
              + " Default: ${DEFAULT-VALUE}.")
  private Profile profile = Profile.QUICK;

  @Option(names = "--jobs", paramLabel = "N", description = "Jobs to submit at most.")
  private @Nullable Long jobs;

  @Option(names = "--faults", paramLabel = "N", description = "Faults in all.")
  private @Nullable Integer faults;

  @Option(
      names = "--kinds",
      paramLabel = "KIND",
      split = ",",
      description = "Kinds or groups of faults, see --list; usual for those that are the default.")
  private List<String> kinds = List.of();

  @Option(names = "--list", description = "Shows the kinds of faults.")
  private boolean list;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "The same seed gives the same faults and jobs. Default: a new one.")
  private @Nullable Long seed;

  @Option(
      names = "--duration",
      paramLabel = "TIME",
      description =
          "From the start of the fleet, or from when there is a --backlog, until no new faults"
              + " come, such as 50s; what has to end, and"
              + " the checks, take 10 to 40 s more, a minute and more after connections that stay"
              + " open and dead. Default: 60s, of parts 10m.")
  private @Nullable String duration;

  @Option(
      names = "--fleet",
      paramLabel = "A,W,M",
      defaultValue = "2,4,2",
      description = "Processes with the roles api, worker, maintenance. Default: ${DEFAULT-VALUE}.")
  private String fleet = "2,4,2";

  @Option(
      names = "--timing",
      paramLabel = "PROFILE",
      defaultValue = "fast",
      description = "Leases and beats: fast (lease 2 s) or default (15 s). Default: fast.")
  private String timing = "fast";

  @Option(
      names = "--rate",
      paramLabel = "N",
      defaultValue = "300",
      description = "Jobs a second, at most. Default: ${DEFAULT-VALUE}.")
  private int rate;

  @Option(
      names = "--slots",
      paramLabel = "N",
      defaultValue = "16",
      description = "Jobs that a worker process runs at once. Default: ${DEFAULT-VALUE}.")
  private int slots;

  @Option(
      names = "--backlog",
      paramLabel = "N",
      defaultValue = "0",
      description =
          "About so many jobs (95 %%) are open when the first fault comes, most of them on the"
              + " streams, and are kept open as far as --rate goes: one worker process runs until"
              + " then. At most --jobs. Faults are at least half of --gap apart, and"
              + " the report says how soon jobs were started at half of the usual rate again.")
  private int backlog;

  @Option(
      names = "--at-once",
      paramLabel = "N",
      defaultValue = "2",
      description = "Faults at the same time, at most; 1 to measure. Default: ${DEFAULT-VALUE}.")
  private int atOnce;

  @Option(
      names = "--gap",
      paramLabel = "TIME",
      defaultValue = "600ms",
      description = "Longest pause before a fault. Default: ${DEFAULT-VALUE}.")
  private String gap = "600ms";

  @Option(
      names = "--data",
      paramLabel = "DIR",
      description =
          "An empty or new directory for everything; removed when all is in order. Default: a"
              + " temporary one.")
  private @Nullable Path data;

  @Option(
      names = "--resume",
      paramLabel = "DIR",
      description =
          "Goes on with a campaign; of the options only --duration, --json and --keep count.")
  private @Nullable Path resume;

  @Option(names = "--keep", description = "Keeps the directory in any case.")
  private boolean keep;

  @Option(names = "--json", description = "A line of JSON for each fault, and one at the end.")
  private boolean json;

  private volatile boolean stopping;

  public static void main(String[] args) {
    if (System.getenv(LOG_LEVEL) == null) {
      System.setProperty(LOG_LEVEL, "WARN"); // of this process; members have files
    }
    System.exit(commandLine().execute(args));
  }

  /** The command as it is run. */
  static CommandLine commandLine() {
    ChaosCommand chaos = new ChaosCommand();
    return new CommandLine(chaos)
        .setUsageHelpAutoWidth(true)
        .setCaseInsensitiveEnumValuesAllowed(true)
        .setExecutionExceptionHandler((e, command, parsed) -> chaos.failed(e, command));
  }

  private int failed(Exception e, CommandLine command) {
    if (stopping) {
      return NO_FLEET;
    }
    if (e instanceof FleetException || e instanceof EmbeddedServerException) {
      command.getErr().println(e.getMessage());
    } else {
      e.printStackTrace(command.getErr());
    }
    return NO_FLEET;
  }

  @Override
  public Integer call() throws IOException, SQLException, InterruptedException {
    PrintWriter out = spec.commandLine().getOut();
    if (list) {
      list(out);
      return CommandLine.ExitCode.OK;
    }
    Profile length = resume == null ? profile : Profile.FULL; // there are parts of no other
    Duration lasts = duration == null ? length.lasts : time("--duration", duration);
    CampaignFolder folder;
    if (resume != null) {
      folder = CampaignFolder.resume(resume);
    } else {
      CampaignPlan plan = plan();
      folder = CampaignFolder.create(data);
      folder.save(new Progress(plan, 0, 0));
    }
    Result result = run(folder, lasts);
    if (json) {
      out.println(JsonLines.end(result));
      out.flush();
    } else {
      TextReport.print(out, result);
    }
    leave(folder, result);
    return result.verdict().clean() ? CommandLine.ExitCode.OK : WRONG;
  }

  private static void list(PrintWriter out) {
    for (FaultKind kind : FaultKinds.list()) {
      String note =
          kind.missing()
              .map(why -> " (not available here: " + why + ")")
              .orElse(kind.usual() ? "" : " (when asked for)");
      out.printf("%-24s %-9s %s%s%n", kind.key(), kind.group(), kind.description(), note);
    }
    out.flush();
  }

  private Result run(CampaignFolder folder, Duration lasts)
      throws IOException, SQLException, InterruptedException {
    LiveLines lines =
        new LiveLines(spec.commandLine().getErr(), json ? spec.commandLine().getOut() : null);
    Progress progress = folder.load();
    lines.says(
        "seed %d, from fault %d of %d"
            .formatted(progress.plan().seed(), progress.nextFault(), progress.plan().faults()));
    Campaign campaign = Campaign.open(folder, lines);
    Thread hook = new Thread(() -> stop(campaign), "chaos-stop");
    Runtime.getRuntime().addShutdownHook(hook);
    try {
      return campaign.run(lasts);
    } finally {
      campaign.close();
      if (!stopping) {
        Runtime.getRuntime().removeShutdownHook(hook);
      }
    }
  }

  /** Ctrl-C, or SIGTERM. */
  private void stop(Campaign campaign) {
    stopping = true;
    try {
      campaign.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void leave(CampaignFolder folder, Result result) throws IOException {
    PrintWriter err = spec.commandLine().getErr();
    boolean more = (profile == Profile.FULL || resume != null) && !result.complete();
    if (!result.verdict().clean()) {
      err.println("what there is to look at is in " + folder.data());
    } else if (more) {
      err.println("go on with: ./millpond chaos --resume " + folder.data());
    } else if (!keep) {
      folder.delete();
    }
    err.flush();
  }

  private CampaignPlan plan() {
    if (!List.of("fast", "default").contains(timing)) {
      throw usage("--timing must be fast or default, is " + timing);
    }
    check("--rate", rate, 1, RATE_MOST);
    check("--slots", slots, 1, SLOTS_MOST);
    check("--backlog", backlog, 0, BACKLOG_MOST);
    check("--at-once", atOnce, 1, 16);
    check("--faults", faults == null ? profile.faults : faults, 1, FAULTS_MOST);
    long all = jobs == null ? profile.jobs : jobs;
    check("--jobs", all, 1, 100_000_000);
    if (backlog > all) {
      throw usage("--backlog must be at most --jobs, which is %d, is %d".formatted(all, backlog));
    }
    try {
      return new CampaignPlan(
          seed == null ? ThreadLocalRandom.current().nextLong(1, 1_000_000_000) : seed,
          kinds.isEmpty() ? FaultKinds.usual() : FaultKinds.of(kinds),
          faults == null ? profile.faults : faults,
          all,
          FleetPlan.Size.parse(fleet),
          timing,
          slots,
          rate,
          backlog,
          atOnce,
          time("--gap", gap));
    } catch (IllegalArgumentException e) {
      throw usage(String.valueOf(e.getMessage()));
    }
  }

  private void check(String option, long value, long least, long most) {
    if (value < least || value > most) {
      throw usage("%s must be %d to %d, is %d".formatted(option, least, most, value));
    }
  }

  private Duration time(String option, String text) {
    return DurationText.parse(text)
        .filter(parsed -> !parsed.isNegative())
        .orElseThrow(() -> usage(option + " must be " + DurationText.FORMS + ", is " + text));
  }

  private ParameterException usage(String message) {
    return new ParameterException(spec.commandLine(), message);
  }
}
