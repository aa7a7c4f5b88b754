package dev.millpond.scenarios.play;

import dev.millpond.chaos.fleet.FleetPlan;
import dev.millpond.scenarios.report.Report;
import dev.millpond.scenarios.stage.Run;
import dev.millpond.scenarios.stage.Stage;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import tools.jackson.databind.JsonNode;

/**
 * Jobs are submitted to a queue whose backlog shrinks, is filled up again, and runs out: what each
 * 202 said of the start is compared with when its handler was called.
 */
final class EstimateScenario implements Scenario {
  private static final String QUEUE = "steady";
  private static final int MILLIS = 20;
  private static final int BACKLOG = 4_000;
  private static final Duration WARM = Duration.ofSeconds(12);
  private static final Duration ASKED = Duration.ofSeconds(20);
  private static final Duration EVERY = Duration.ofMillis(250);
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  /** Of the wait, or {@link #ERROR_LEAST_MILLIS} where that is more. */
  private static final double MEDIAN_MOST = 0.25;

  private static final double P90_MOST = 0.5;

  private static final double ERROR_LEAST_MILLIS = 1_000;

  /** What was said of a job, and when. */
  private record Said(UUID job, Instant at, Instant start) {}

  /** How long it waited, and how far off what was said was. */
  private record Off(double waitMillis, double errorMillis) {
    double share() {
      return errorMillis / Math.max(waitMillis, ERROR_LEAST_MILLIS);
    }
  }

  @Override
  public String name() {
    return "estimate";
  }

  @Override
  public String shows() {
    return "when an accepted job will start is told, and comes true";
  }

  @Override
  public FleetPlan.Size fleet() {
    return new FleetPlan.Size(1, 2, 1);
  }

  @Override
  public int slots() {
    return 8;
  }

  @Override
  public void play(Stage stage, Report report) throws Exception {
    stage.api().done("PATCH", "/v1/queues/" + QUEUE, "{\"highWatermark\":100000}");
    stage.startWorkers();
    String job = Stage.job("work", QUEUE, "normal", MILLIS, "load");
    stage.submit(job, BACKLOG);
    stage.until("a first run", PATIENCE, () -> stage.ledger().started() > 0);
    long warm = System.nanoTime() + WARM.toNanos();
    int load = BACKLOG;
    while (System.nanoTime() - warm < 0) { // so that there is a rate to go by
      if (stage.depth() < BACKLOG / 2) {
        stage.submit(job, BACKLOG / 2);
        load += BACKLOG / 2;
      }
      stage.watch(EVERY);
    }
    List<Said> said = new ArrayList<>();
    int asked = 0;
    long until = System.nanoTime() + ASKED.toNanos();
    boolean filled = false;
    while (System.nanoTime() - until < 0) {
      if (!filled && System.nanoTime() - until > -ASKED.toNanos() / 2) {
        stage.submit(job, BACKLOG / 2);
        load += BACKLOG / 2;
        filled = true;
      }
      asked++;
      ask(stage, said);
      stage.watch(EVERY);
    }
    stage.untilRun((long) load + asked, PATIENCE);
    report.check(
        "every accepted job is told when it will start",
        said.size() == asked,
        said.size() + " of " + asked);
    compare(report, said, stage.runs());
  }

  private static void ask(Stage stage, List<Said> said) throws Exception {
    Instant at = InstantSource.system().instant();
    JsonNode answer =
        stage.api().done("POST", "/v1/jobs", Stage.job("work", QUEUE, "normal", MILLIS, "asked"));
    String start = answer.path("estimatedStartAt").asString("");
    if (!start.isEmpty()) {
      said.add(new Said(UUID.fromString(answer.path("id").asString()), at, Instant.parse(start)));
    }
  }

  private static void compare(Report report, List<Said> said, List<Run> runs) {
    // One machine: what the monotonic clock says is put on the wall clock by their difference now.
    long offsetNanos =
        TimeUnit.MILLISECONDS.toNanos(InstantSource.system().millis()) - System.nanoTime();
    Map<UUID, Run> byJob = new HashMap<>();
    runs.forEach(run -> byJob.putIfAbsent(run.job(), run));
    List<Off> offs = new ArrayList<>();
    List<Double> waits = new ArrayList<>();
    List<Double> predicted = new ArrayList<>();
    for (Said one : said) {
      Run run = byJob.get(one.job());
      if (run == null) {
        continue; // it was waited for, so this is found by the count of runs
      }
      double startMillis = (run.startNanos() + offsetNanos) / 1e6;
      double wait = startMillis - one.at().toEpochMilli();
      double told = one.start().toEpochMilli() - one.at().toEpochMilli();
      offs.add(new Off(wait, Math.abs(told - wait)));
      waits.add(wait / 1_000);
      predicted.add(told / 1_000);
    }
    double median = at(offs.stream().mapToDouble(Off::share).sorted().toArray(), 0.5);
    double p90 = at(offs.stream().mapToDouble(Off::share).sorted().toArray(), 0.9);
    double[] errors = offs.stream().mapToDouble(Off::errorMillis).sorted().toArray();
    report
        .figure("medianErrorMillis", Math.round(at(errors, 0.5)))
        .figure("p90ErrorMillis", Math.round(at(errors, 0.9)))
        .figure(
            "longestWaitMillis",
            Math.round(offs.stream().mapToDouble(Off::waitMillis).max().orElse(0)))
        .step(EVERY.toMillis() / 1_000.0)
        .series("waitSeconds", waits)
        .series("toldSeconds", predicted);
    report
        .check(
            "half of them start within a quarter of their wait, or of a second, of what was told",
            median <= MEDIAN_MOST,
            String.format(Locale.ROOT, "%.0f %% off at the median", 100 * median))
        .check(
            "nine of ten within half of it, or of a second",
            p90 <= P90_MOST,
            String.format(Locale.ROOT, "%.0f %% off at p90", 100 * p90));
  }

  private static double at(double[] sorted, double part) {
    return sorted.length == 0 ? Double.MAX_VALUE : sorted[(int) (part * (sorted.length - 1))];
  }
}
