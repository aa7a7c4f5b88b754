package dev.millpond.scenarios.play;

import dev.millpond.chaos.fleet.FleetPlan;
import dev.millpond.chaos.fleet.Wiring;
import dev.millpond.scenarios.report.Report;
import dev.millpond.scenarios.stage.NoWakeUps;
import dev.millpond.scenarios.stage.Run;
import dev.millpond.scenarios.stage.Stage;
import dev.millpond.server.config.Role;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Three classes of one queue with a backlog each are served 60, 30 and 10 of a hundred; the weights
 * are turned round in mid-run, and the fleet follows; then two queues share the time of the slots.
 * The same holds where nothing wakes the workers: shares follow served work, not wake-ups.
 */
final class WeightsScenario implements Scenario {
  private static final String QUEUE = "shares";
  private static final List<String> CLASSES = List.of("critical", "high", "normal");
  private static final Map<String, Double> FIRST =
      Map.of("critical", 60.0, "high", 30.0, "normal", 10.0);
  private static final Map<String, Double> THEN =
      Map.of("critical", 20.0, "high", 30.0, "normal", 50.0);
  private static final Map<String, Double> QUEUES = Map.of("heavy", 75.0, "light", 25.0);

  /** Points of a hundred. */
  private static final double MOST_OFF = 2;

  private static final int MILLIS = 2;
  private static final int BACKLOG = 60_000;
  private static final Duration SETTLES = Duration.ofSeconds(2);
  private static final Duration MEASURED = Duration.ofSeconds(4);
  private static final Duration STEP = Duration.ofMillis(500);

  private final boolean unwoken;

  /**
   * @param unwoken whether all wake-ups of the workers are dropped
   */
  WeightsScenario(boolean unwoken) {
    this.unwoken = unwoken;
  }

  @Override
  public String name() {
    return unwoken ? "weights-unwoken" : "weights";
  }

  @Override
  public String shows() {
    return unwoken
        ? "the same while every wake-up of the workers is dropped"
        : "classes and queues share as their weights say, and follow a change within 2 s";
  }

  @Override
  public Wiring.Maker wiring() {
    return unwoken ? NoWakeUps::new : Scenario.super.wiring();
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
    for (String each : CLASSES) {
      stage.submit(Stage.job("work", QUEUE, each, MILLIS, each), BACKLOG);
    }
    long began = System.nanoTime();
    stage.startWorkers();
    stage.until("a first run", Duration.ofSeconds(30), () -> stage.ledger().started() > 0);
    stage.watch(SETTLES);
    long first = System.nanoTime();
    stage.watch(MEASURED);
    long changed = System.nanoTime();
    stage.api().done("PUT", "/v1/queues/" + QUEUE + "/weights", weights());
    stage.says("weights turned round");
    long followed = changed + SETTLES.toNanos();
    stage.watch(SETTLES.plus(MEASURED));
    long over = System.nanoTime();
    List<Run> runs = stage.ledger().runs();
    check(report, "60, 30 and 10 of a hundred", runs, first, changed, FIRST);
    check(report, "20, 30 and 50 from 2 s after the change", runs, followed, over, THEN);
    report
        .figure(
            "jobsPerSecond",
            runs.stream().filter(run -> run.startNanos() - first >= 0).count()
                * 1_000_000_000L
                / (over - first))
        .step(STEP.toMillis() / 1_000.0);
    for (String each : CLASSES) {
      report.series(each, Shares.over(runs, each, began, over, STEP.toNanos()));
    }
    report.figure("changedAtSeconds", (changed - began) / 1e9);
    queues(stage, report);
    if (unwoken) {
      List<Double> heard = stage.gauges(Role.WORKER, "millpond_bell_heard");
      report.check(
          "no worker hears the bell",
          !heard.isEmpty() && heard.stream().allMatch(value -> value == 0),
          heard.toString());
    }
  }

  private static void queues(Stage stage, Report report) throws Exception {
    stage.api().done("PATCH", "/v1/queues/heavy", "{\"weight\":300}");
    stage.api().done("PATCH", "/v1/queues/light", "{\"weight\":100}");
    stage.api().done("PATCH", "/v1/queues/" + QUEUE, "{\"weight\":1}");
    for (String queue : QUEUES.keySet()) {
      stage.submit(Stage.job("work", queue, "normal", MILLIS, queue), BACKLOG);
    }
    stage.watch(SETTLES);
    long from = System.nanoTime();
    stage.watch(MEASURED);
    long to = System.nanoTime();
    List<Run> runs =
        stage.ledger().runs().stream().filter(run -> QUEUES.containsKey(run.label())).toList();
    check(report, "queues of weight 300 and 100 get 75 and 25", runs, from, to, QUEUES);
  }

  private static void check(
      Report report, String what, List<Run> runs, long from, long to, Map<String, Double> wanted) {
    Map<String, Double> shares = Shares.between(runs, from, to);
    double off = Shares.off(shares, wanted);
    report.check(
        what + " within " + Math.round(MOST_OFF) + " points",
        off <= MOST_OFF,
        String.format(Locale.ROOT, "%s; %.1f off", Shares.text(shares), off));
  }

  private static String weights() {
    StringBuilder text = new StringBuilder();
    THEN.forEach((name, weight) ->
        text.append(text.isEmpty() ? "" : ",")
            .append('"')
            .append(name)
            .append("\":")
            .append(Math.round(weight)));
    return "{\"weights\":{" + text + "}}";
  }
}
