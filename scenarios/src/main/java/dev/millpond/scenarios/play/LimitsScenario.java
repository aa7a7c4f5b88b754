package dev.millpond.scenarios.play;

import dev.millpond.chaos.fleet.FleetPlan;
import dev.millpond.scenarios.report.Report;
import dev.millpond.scenarios.stage.Run;
import dev.millpond.scenarios.stage.Stage;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * A queue and a kind have limits of concurrency, another queue one of its rate; workers are killed
 * the whole time. Never one more runs than may, no slot is lost for good, and all jobs are run.
 */
final class LimitsScenario implements Scenario {
  private static final int QUEUE_LIMIT = 5;
  private static final int KIND_LIMIT = 3;
  private static final int PERMITS = 40;
  private static final int JOBS = 300;
  private static final int MILLIS = 100;
  private static final Duration KILLS = Duration.ofSeconds(15);
  private static final Duration APART = Duration.ofSeconds(1);
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  /** What may lie between the permit of a job, by the database's clock, and its start. */
  private static final Duration ON_ITS_WAY = Duration.ofMillis(250);

  @Override
  public String name() {
    return "limits";
  }

  @Override
  public String shows() {
    return "limits hold to the job under kill -9, and no slot leaks";
  }

  @Override
  public FleetPlan.Size fleet() {
    return new FleetPlan.Size(1, 3, 1);
  }

  @Override
  public int slots() {
    return 8;
  }

  @Override
  public void play(Stage stage, Report report) throws Exception {
    limit(stage, "/v1/queues/limited", "{\"concurrency\":" + QUEUE_LIMIT + "}");
    limit(stage, "/v1/kinds/work.a", "{\"concurrency\":" + KIND_LIMIT + "}");
    limit(
        stage,
        "/v1/queues/rated",
        "{\"rate\":{\"permits\":%d,\"per\":\"PT1S\",\"burst\":%d}}".formatted(PERMITS, PERMITS));
    stage.submit(Stage.job("work", "limited", "normal", MILLIS, "queue"), JOBS);
    stage.submit(Stage.job("work.a", "open", "normal", MILLIS, "kind"), JOBS);
    stage.submit(Stage.job("work.b", "rated", "normal", 0, "rate"), JOBS);
    stage.submit(Stage.job("work", "open", "normal", MILLIS, "free"), JOBS);
    stage.startWorkers();
    stage.until("a first run", PATIENCE, () -> stage.ledger().started() > 0);
    long until = System.nanoTime() + KILLS.toNanos();
    int kills = 0;
    while (System.nanoTime() - until < 0) {
      stage.killWorker("worker-" + (1 + kills++ % fleet().workers()));
      stage.watch(APART);
    }
    stage.untilRun(4L * JOBS, PATIENCE);
    check(stage.runs(), report, kills);
  }

  private static void check(List<Run> runs, Report report, int kills) {
    int queue = Crowd.most(of(runs, "queue"));
    int kind = Crowd.most(of(runs, "kind"));
    report
        .check(
            "never more than " + QUEUE_LIMIT + " of the queue at once",
            queue <= QUEUE_LIMIT,
            String.format(Locale.ROOT, "%d at most", queue))
        .check(
            "the queue's limit is used",
            queue == QUEUE_LIMIT,
            String.format(Locale.ROOT, "%d at most", queue))
        .check(
            "never more than " + KIND_LIMIT + " of the kind at once",
            kind <= KIND_LIMIT,
            String.format(Locale.ROOT, "%d at most", kind))
        .check(
            "the kind's limit is used",
            kind == KIND_LIMIT,
            String.format(Locale.ROOT, "%d at most", kind));
    double over = Crowd.overRate(of(runs, "rate"), PERMITS, PERMITS, ON_ITS_WAY);
    report.check(
        "never more starts than %d and %d a second".formatted(PERMITS, PERMITS),
        over <= 0,
        String.format(
            Locale.ROOT,
            "%.1f over at worst, with %d ms on their way",
            over,
            ON_ITS_WAY.toMillis()));
    Set<Object> jobs = runs.stream().map(Run::job).collect(Collectors.toSet());
    report.check(
        "every job was run",
        jobs.size() == 4 * JOBS,
        String.format(Locale.ROOT, "%d of %d", jobs.size(), 4 * JOBS));
    report.figure("kills", kills).figure("runs", runs.size());
  }

  private static void limit(Stage stage, String path, String limit) throws Exception {
    stage.api().done("PUT", path + "/limits", limit);
  }

  private static List<Run> of(List<Run> runs, String label) {
    return runs.stream().filter(run -> run.label().equals(label)).toList();
  }
}
