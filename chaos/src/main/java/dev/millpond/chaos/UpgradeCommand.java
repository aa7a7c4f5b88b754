package dev.millpond.chaos;

import dev.millpond.chaos.campaign.CampaignFolder;
import dev.millpond.chaos.campaign.Finding;
import dev.millpond.chaos.campaign.Upgrade;
import dev.millpond.chaos.campaign.Verdict;
import dev.millpond.chaos.fleet.FleetPlan;
import dev.millpond.chaos.fleet.Version;
import dev.millpond.chaos.report.TextReport;
import dev.millpond.server.config.DurationText;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code millpond chaos upgrade}: a fleet of another version becomes one of this version. */
@Command(
    name = "upgrade",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Runs a fleet of another version under load, migrates the schema by this version while it"
          + " works, replaces its processes one by one, tries to put one back, and checks each job"
          + " that was ever asked for. build/upgrade-check builds the other version."
    })
final class UpgradeCommand implements Callable<Integer> {
  private static final int WRONG = 1;

  @Spec private CommandSpec spec = CommandSpec.create();

  @Option(
      names = "--from",
      paramLabel = "DIR",
      required = true,
      description = "The other version: what its build has put into dist/target/millpond.")
  private Path from = Path.of("");

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "1",
      description = "The same seed gives the same jobs. Default: ${DEFAULT-VALUE}.")
  private long seed;

  @Option(
      names = "--fleet",
      paramLabel = "A,W,M",
      defaultValue = "2,3,2",
      description = "Processes with the roles api, worker, maintenance. Default: ${DEFAULT-VALUE}.")
  private String fleet = "2,3,2";

  @Option(
      names = "--rate",
      paramLabel = "N",
      defaultValue = "200",
      description = "Jobs a second, at most. Default: ${DEFAULT-VALUE}.")
  private int rate;

  @Option(
      names = "--steady",
      paramLabel = "TIME",
      defaultValue = "15s",
      description =
          "How long nothing is done to the fleet: before, between migration and the first"
              + " replacement, and after. Default: ${DEFAULT-VALUE}.")
  private String steady = "15s";

  @Option(
      names = "--data",
      paramLabel = "DIR",
      description =
          "An empty or new directory for everything; removed when all is in order. Default: a"
              + " temporary one.")
  private @Nullable Path data;

  @Override
  public Integer call() throws IOException, SQLException, InterruptedException {
    Upgrade.Plan plan;
    try {
      plan =
          new Upgrade.Plan(seed, Version.in(from), FleetPlan.Size.parse(fleet), 16, rate, steady());
    } catch (IllegalArgumentException e) {
      throw usage(String.valueOf(e.getMessage()));
    }
    CampaignFolder folder = CampaignFolder.create(data);
    LiveLines lines = new LiveLines(spec.commandLine().getErr(), null);
    Upgrade.Outcome outcome;
    try (Upgrade upgrade = Upgrade.open(plan, folder, lines)) {
      outcome = upgrade.run();
    }
    print(spec.commandLine().getOut(), plan, outcome);
    if (!outcome.verdict().clean()) {
      spec.commandLine().getErr().println("what there is to look at is in " + folder.data());
      return WRONG;
    }
    folder.delete();
    return CommandLine.ExitCode.OK;
  }

  private Duration steady() {
    return DurationText.parse(steady)
        .filter(time -> time.isPositive())
        .orElseThrow(() -> usage("--steady must be " + DurationText.FORMS + ", is " + steady));
  }

  private static void print(PrintWriter out, Upgrade.Plan plan, Upgrade.Outcome outcome) {
    Verdict verdict = outcome.verdict();
    outcome.figures().forEach((name, figure) -> out.printf("%s: %s%n", name, figure));
    TextReport.printJobs(out, verdict);
    out.printf(
        "runs: %d, %d of them extra; %d attempts used up; limited queue: at most %d jobs at once,"
            + " its limit is %d%n",
        verdict.runs(),
        verdict.extraRuns(),
        verdict.burned(),
        verdict.limitedMost(),
        plan.limitedAtOnce());
    out.println(
        verdict.clean()
            ? "Nothing lost, nothing unexpected, no stale end, no double end."
            : "WRONG: " + verdict.findings().size() + " findings");
    for (Finding finding : verdict.findings()) {
      out.println("  " + finding.rule().label() + ": " + finding.what());
    }
    out.flush();
  }

  private ParameterException usage(String message) {
    return new ParameterException(spec.commandLine(), message);
  }
}
