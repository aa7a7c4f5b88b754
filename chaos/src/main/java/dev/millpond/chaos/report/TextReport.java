package dev.millpond.chaos.report;

import dev.millpond.chaos.campaign.Finding;
import dev.millpond.chaos.campaign.Result;
import dev.millpond.chaos.campaign.Verdict;
import java.io.PrintWriter;
import java.util.Locale;

/** The report for people. */
public final class TextReport {
  private TextReport() {}

  /** Prints what became of the jobs that were asked for. */
  public static void printJobs(PrintWriter out, Verdict verdict) {
    out.printf(
        "jobs: %d acknowledged, %d refused, %d unknown (%d of them are there); %d there, %d"
            + " succeeded%n",
        verdict.acknowledged(),
        verdict.refused(),
        verdict.unknown(),
        verdict.unknownThere(),
        verdict.jobs(),
        verdict.ended());
  }

  public static void print(PrintWriter out, Result result) {
    Verdict verdict = result.verdict();
    out.printf(
        Locale.ROOT,
        "%d faults, %d of them hit jobs in flight; seed %d, part %d, %.0f s%n",
        result.faults().size(),
        result.counted(),
        result.plan().seed(),
        result.parts(),
        result.took().toMillis() / 1e3);
    printJobs(out, verdict);
    out.printf(
        "runs: %d, %d of them extra; %d ends of superseded runs turned away; %d attempts used up by"
            + " faults; %d jobs buried as poison after two kills%n",
        verdict.runs(),
        verdict.extraRuns(),
        verdict.rejected(),
        verdict.burned(),
        verdict.buried());
    out.printf(
        "limited queue: at most %d jobs at once%s; %d pauses%n%n",
        verdict.limitedMost(),
        result.plan().limits() ? ", its limit is " + result.plan().limitedAtOnce() : ", no limit",
        result.pauses());
    table(out, result);
    if (result.usedUpOtherwise() > 0) {
      out.printf(
          "(of the attempts that were used up, %d by none of these, as far as can be told)%n",
          result.usedUpOtherwise());
    }
    if (verdict.clean()) {
      out.printf(
          Locale.ROOT,
          "%nNothing lost, nothing unexpected, no stale end, no double end. 0 in %d faults: at 95"
              + " %% at most %.2f %% of such faults lose a job.%n",
          result.counted(),
          100 * result.bound());
    } else {
      out.printf("%nWRONG: %d findings%n", verdict.findings().size());
      for (Finding finding : verdict.findings()) {
        out.println("  " + finding.rule().label() + ": " + finding.what());
      }
    }
    out.flush();
  }

  private static void table(PrintWriter out, Result result) {
    out.printf(
        "%-24s %7s %7s %7s %7s  %-28s %10s %10s  %-29s %s%n",
        "kind",
        "faults",
        "counted",
        "jobs",
        "used up",
        "again: n, p50/p99/max ms",
        "submit max",
        "end max",
        "dispatch, pause max; not back",
        "rate kept: submits, ends");
    Figures.of(result)
        .forEach((kind, figures) ->
            out.printf(
                "%-24s %7d %7d %7d %7d  %-28s %10d %10d  %-29s %s%n",
                kind,
                figures.faults(),
                figures.counted(),
                figures.hit(),
                figures.usedUp(),
                "%d, %d/%d/%d"
                    .formatted(
                        figures.again().count(),
                        figures.again().median(),
                        figures.again().p99(),
                        figures.again().most()),
                figures.submit().most(),
                figures.end().most(),
                figures.dispatch().count() == 0
                    ? "-"
                    : "%d, %d; %d of %d"
                        .formatted(
                            figures.dispatch().most(),
                            figures.pause().most(),
                            figures.notBack(),
                            figures.dispatch().count()),
                figures.endShare() < 0
                    ? "-"
                    : String.format(
                        Locale.ROOT, "%.2f, %.2f", figures.submitShare(), figures.endShare())));
  }
}
