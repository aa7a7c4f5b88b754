package dev.millpond.scenarios.play;

import dev.millpond.chaos.fleet.FleetPlan;
import dev.millpond.scenarios.report.Report;
import dev.millpond.scenarios.stage.Run;
import dev.millpond.scenarios.stage.Stage;
import dev.millpond.scenarios.stage.SteadyLoad;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * A queue, a kind and a tag are paused one after the other under a steady load: nothing of it
 * starts from a second later on, the rest goes on, also while a worker is killed and Redis loses
 * its data; what is resumed is all run.
 */
final class PauseScenario implements Scenario {
  private static final int EACH = 5;
  private static final long EVERY_MILLIS = 50;
  private static final int MILLIS = 5;
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final Duration TAKES_EFFECT = Duration.ofSeconds(1);
  private static final Duration PAUSED = Duration.ofSeconds(4);

  /** What is paused, by the label of its jobs and its path. */
  private record Paused(String label, String path) {}

  private static final List<Paused> PAUSES =
      List.of(
          new Paused("queue", "/v1/queues/held"),
          new Paused("kind", "/v1/kinds/work.a"),
          new Paused("tag", "/v1/tags/nightly"));

  private static final List<String> JOBS =
      List.of(
          Stage.job("work", "held", "normal", MILLIS, "queue"),
          Stage.job("work.a", "open", "normal", MILLIS, "kind"),
          Stage.job("work", "open", "normal", MILLIS, "tag", "nightly"),
          Stage.job("work", "open", "normal", MILLIS, "free"));

  @Override
  public String name() {
    return "pause";
  }

  @Override
  public String shows() {
    return "what is paused does not start, the rest goes on, and nothing is lost";
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
    stage.startWorkers();
    List<String> page =
        JOBS.stream().flatMap(job -> Collections.nCopies(EACH, job).stream()).toList();
    int accepted;
    try (SteadyLoad load = SteadyLoad.start(stage.api(), page, EVERY_MILLIS)) {
      stage.until("a first run", PATIENCE, () -> stage.ledger().started() > 0);
      for (Paused paused : PAUSES) {
        pause(stage, report, paused);
      }
      load.stop();
      accepted = load.accepted();
      report.check("no submit failed", load.failure() == null, String.valueOf(load.failure()));
    }
    stage.untilRun(accepted, PATIENCE);
    Set<Object> run = stage.runs().stream().map(Run::job).collect(Collectors.toSet());
    report.check(
        "every accepted job was run",
        run.size() == accepted,
        String.format(Locale.ROOT, "%d of %d", run.size(), accepted));
    report.figure("jobs", accepted).figure("runs", stage.runs().size());
  }

  private static void pause(Stage stage, Report report, Paused paused) throws Exception {
    stage
        .api()
        .done("POST", paused.path() + "/pause", "{\"by\":\"scenario\",\"reason\":\"shown\"}");
    long answered = System.nanoTime();
    stage.says("paused " + paused.path());
    stage.watch(TAKES_EFFECT);
    long from = System.nanoTime();
    stage.watch(PAUSED.dividedBy(2));
    if (paused.label().equals("queue")) {
      stage.killWorker("worker-1");
      stage.flushRedis();
    }
    stage.watch(PAUSED.dividedBy(2));
    long to = System.nanoTime();
    List<Run> runs = stage.runs();
    long started = started(runs, paused.label(), from, to);
    report.check(
        "nothing of a paused " + paused.label() + " starts",
        started == 0,
        String.format(
            Locale.ROOT,
            "%d starts from %d ms after the answer on",
            started,
            (from - answered) / 1_000_000));
    long free = started(runs, "free", from, to);
    double seconds = (to - from) / 1e9;
    report.check(
        "others go on while the " + paused.label() + " is paused",
        free > 0,
        String.format(Locale.ROOT, "%.0f starts a second", free / seconds));
    stage.api().done("POST", paused.path() + "/resume", null);
    long resumed = System.nanoTime();
    stage.until(
        "a start of what was resumed",
        PATIENCE,
        () -> started(stage.runs(), paused.label(), resumed, Long.MAX_VALUE) > 0);
    report.figure("resumed" + paused.label() + "Millis", (System.nanoTime() - resumed) / 1_000_000);
  }

  private static long started(List<Run> runs, String label, long from, long to) {
    return runs.stream()
        .filter(
            run -> run.label().equals(label) && run.startNanos() >= from && run.startNanos() < to)
        .count();
  }
}
