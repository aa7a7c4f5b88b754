package dev.millpond.scenarios.play;

import dev.millpond.chaos.fleet.FleetPlan;
import dev.millpond.scenarios.report.Report;
import dev.millpond.scenarios.stage.Flood;
import dev.millpond.scenarios.stage.Probe;
import dev.millpond.scenarios.stage.Probe.Sight;
import dev.millpond.scenarios.stage.Run;
import dev.millpond.scenarios.stage.Stage;
import dev.millpond.scenarios.stage.SteadyLoad;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Clients submit to one queue at five times the rate at which the fleet drains it, for a minute.
 * The queue stays within its marks, what it cannot take is refused with the time to try again,
 * memory stays flat, nothing is lost, and a small queue beside it does not notice.
 */
final class FloodScenario implements Scenario {
  private static final String QUEUE = "flooded";
  private static final String SMALL = "small";
  private static final long HIGH = 2_000;
  private static final long LOW = 500;
  private static final int PAGE = 100;
  private static final int CLIENTS = 4;
  private static final int MILLIS = 20;
  private static final int TIMES = 5;
  private static final Duration FLOOD = Duration.ofSeconds(60);
  private static final Duration CALM = Duration.ofSeconds(8);
  private static final Duration PATIENCE = Duration.ofMinutes(2);
  private static final long SMALL_EVERY_MILLIS = 50;

  /**
   * What a JVM takes that has just begun to work is no leak: the middle is compared with the end.
   */
  private static final double GROWTH_MOST = 1.25;

  /** Once its work is there, a small queue's job waits for a slot at most so long at p95. */
  private static final double SMALL_WAIT_MOST_MILLIS = 500;

  @Override
  public String name() {
    return "flood";
  }

  @Override
  public String shows() {
    return "a flood at five times the drain rate hurts only the flooder";
  }

  @Override
  public FleetPlan.Size fleet() {
    return new FleetPlan.Size(2, 2, 1);
  }

  @Override
  public int slots() {
    return 8;
  }

  @Override
  public void play(Stage stage, Report report) throws Exception {
    stage
        .api()
        .done(
            "PATCH",
            "/v1/queues/" + QUEUE,
            "{\"highWatermark\":" + HIGH + ",\"lowWatermark\":" + LOW + "}");
    stage.startWorkers();
    SmallQueue small = new SmallQueue();
    String smallJob = Stage.job("work", SMALL, "normal", 0, "small");
    int smallAccepted;
    long accepted;
    try (SteadyLoad load = SteadyLoad.start(stage.api(), List.of(smallJob), SMALL_EVERY_MILLIS)) {
      stage.until("a first run", PATIENCE, () -> stage.ledger().started() > 0);
      double drain = drainRate(stage);
      report.figure("drainPerSecond", Math.round(drain));
      long calm = System.nanoTime();
      stage.watch(CALM);
      small.calm(calm, System.nanoTime());
      stage.says("flood at %.0f jobs/s".formatted(TIMES * drain));
      long began = System.nanoTime();
      Probe probe = Probe.start(stage, QUEUE);
      Flood flood =
          Flood.start(
              stage.api(),
              Stage.job("work", QUEUE, "normal", MILLIS, "flood"),
              TIMES * drain,
              PAGE,
              CLIENTS);
      try (flood;
          probe) {
        stage.watch(FLOOD);
      }
      long over = System.nanoTime();
      small.flood(began, over);
      flood(report, flood, drain, over - began);
      gate(report, probe, drain);
      memory(report, probe.memory());
      accepted = flood.accepted();
      load.stop();
      smallAccepted = load.accepted();
      report.check(
          "the small queue was never refused",
          load.failure() == null,
          String.valueOf(load.failure()));
    }
    stage.untilRun(accepted + smallAccepted + HIGH - PAGE, PATIENCE);
    List<Run> runs = stage.runs();
    lost(report, runs, "flood", accepted);
    lost(report, runs, "small", smallAccepted);
    small.check(report, runs);
  }

  /** Starts a second while there is more than enough to do. */
  private static double drainRate(Stage stage) throws Exception {
    stage.submit(Stage.job("work", QUEUE, "normal", MILLIS, "warm"), (int) HIGH - PAGE);
    long from = System.nanoTime();
    stage.until(
        "half of them",
        PATIENCE,
        () -> stage.runs().stream().filter(r -> r.label().equals("warm")).count() > HIGH / 2);
    long middle = System.nanoTime();
    long started =
        stage.runs().stream()
            .filter(run -> run.label().equals("warm") && run.startNanos() < middle)
            .count();
    stage.until("the rest of them", PATIENCE, () -> stage.depth() < LOW);
    return started / ((middle - from) / 1e9);
  }

  private static void flood(Report report, Flood flood, double drain, long nanos) {
    double offered = (flood.accepted() + flood.refused()) / (nanos / 1e9);
    report
        .figure("offeredPerSecond", Math.round(offered))
        .figure("accepted", flood.accepted())
        .figure("refused", flood.refused());
    report
        .check(
            "it was a flood",
            offered > (TIMES - 1.5) * drain,
            String.format(Locale.ROOT, "%.0f jobs/s offered, %.0f drained", offered, drain))
        .check(
            "what was not taken was refused, with the time to try again",
            flood.refused() > 0 && flood.withoutRetryAfter() == 0 && flood.failure() == null,
            String.format(
                Locale.ROOT,
                "%d jobs refused, %d calls without Retry-After, other answers: %s",
                flood.refused(),
                flood.withoutRetryAfter(),
                String.valueOf(flood.failure())));
  }

  private void gate(Report report, Probe probe, double drain) {
    List<Sight> sights = probe.sights();
    long most = sights.stream().mapToLong(Sight::depth).max().orElse(0);
    // A flush of each api process, which holds what all clients have sent meanwhile.
    long bound = HIGH + (long) fleet().apis() * CLIENTS * PAGE;
    report.check(
        "the queue stays within its marks",
        most <= bound,
        String.format(Locale.ROOT, "depth %d at most", most));
    int closings = 0;
    boolean closed = false;
    List<Double> depths = new ArrayList<>();
    for (Sight sight : sights) {
      closings += sight.closed() && !closed ? 1 : 0;
      closed = sight.closed();
      depths.add((double) sight.depth());
    }
    double seconds = FLOOD.toSeconds();
    // From one closing to the next the fleet drains what lies between the marks.
    double cycles = seconds * drain / (HIGH - LOW);
    report.check(
        "the gate does not oscillate",
        closings >= 1 && closings <= 1.5 * cycles + 2,
        String.format(
            Locale.ROOT,
            "closed %d times; draining from mark to mark takes %.1f s",
            closings,
            (HIGH - LOW) / drain));
    report.check(
        "it was looked at all the time",
        probe.failure() == null,
        String.format(Locale.ROOT, "%d looks", sights.size()));
    report.figure("closings", closings).step(0.1).series("depth", depths);
  }

  private static void memory(Report report, Map<String, List<Double>> memory) {
    double worst = 0;
    String whose = "";
    for (Map.Entry<String, List<Double>> member : memory.entrySet()) {
      List<Double> values = member.getValue();
      int third = values.size() / 3;
      double middle = median(values.subList(third, 2 * third));
      double end = median(values.subList(2 * third, values.size()));
      if (end / middle > worst) {
        worst = end / middle;
        whose = "%s: %.0f MiB, then %.0f".formatted(member.getKey(), middle, end);
      }
    }
    report.check(
        "memory is flat", worst <= GROWTH_MOST, String.format(Locale.ROOT, "grew most: %s", whose));
  }

  private static double median(List<Double> values) {
    return values.stream().sorted().skip(values.size() / 2).findFirst().orElse(0.0);
  }

  private static void lost(Report report, List<Run> runs, String label, long accepted) {
    Set<Object> run =
        runs.stream()
            .filter(each -> each.label().equals(label))
            .map(Run::job)
            .collect(Collectors.toSet());
    report.check(
        "every accepted " + label + " job was run",
        run.size() == accepted,
        String.format(Locale.ROOT, "%d of %d", run.size(), accepted));
  }

  /** How evenly the small queue's jobs were started, before and during the flood. */
  private static final class SmallQueue {
    private long calmFrom;
    private long calmTo;
    private long floodFrom;
    private long floodTo;

    void calm(long from, long to) {
      calmFrom = from;
      calmTo = to;
    }

    void flood(long from, long to) {
      floodFrom = from;
      floodTo = to;
    }

    void check(Report report, List<Run> runs) {
      double before = gapMillis(runs, calmFrom, calmTo);
      double during = gapMillis(runs, floodFrom, floodTo);
      report
          .figure("smallGapCalmMillis", Math.round(before))
          .figure("smallGapFloodMillis", Math.round(during));
      report.check(
          "the small queue runs on beside it",
          during <= SMALL_WAIT_MOST_MILLIS,
          String.format(
              Locale.ROOT,
              "95 of 100 of its jobs start within %.0f ms of the one before, %.0f without the"
                  + " flood",
              during,
              before));
    }

    /** Between starts of jobs that are submitted at an even pace: the 95th of a hundred. */
    private static double gapMillis(List<Run> runs, long from, long to) {
      long[] starts =
          runs.stream()
              .filter(run -> run.label().equals("small"))
              .mapToLong(Run::startNanos)
              .filter(start -> start >= from && start < to)
              .sorted()
              .toArray();
      if (starts.length < 2) {
        return Double.MAX_VALUE;
      }
      double[] gaps = new double[starts.length - 1];
      for (int i = 1; i < starts.length; i++) {
        gaps[i - 1] = (starts[i] - starts[i - 1]) / 1e6;
      }
      Arrays.sort(gaps);
      return gaps[(int) (0.95 * (gaps.length - 1))];
    }
  }
}
