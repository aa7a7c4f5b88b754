package dev.millpond.scenarios.play;

import dev.millpond.scenarios.stage.Run;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** How many ran at once, and how many began in a time. Pure. */
final class Crowd {
  private Crowd() {}

  private record Step(long nanos, int change) {}

  /** The most that ran at once; one that ends at the instant another begins is gone by then. */
  static int most(List<Run> runs) {
    List<Step> steps = new ArrayList<>();
    for (Run run : runs) {
      steps.add(new Step(run.startNanos(), 1));
      steps.add(new Step(run.endNanos(), -1));
    }
    steps.sort(Comparator.comparingLong(Step::nanos).thenComparingInt(Step::change));
    int now = 0;
    int most = 0;
    for (Step step : steps) {
      now += step.change();
      most = Math.max(most, now);
    }
    return most;
  }

  /**
   * By how many starts a token bucket was exceeded at worst, over all spans of time between two
   * starts; 0 or less when it never was.
   *
   * @param perSecond permits
   * @param late what may lie between a permit and the start
   */
  static double overRate(List<Run> runs, int burst, double perSecond, Duration late) {
    long[] starts = runs.stream().mapToLong(Run::startNanos).sorted().toArray();
    double worst = -burst;
    // Of all spans that end with this start the worst one: carried along as the bucket would be.
    double taken = 0;
    for (int i = 0; i < starts.length; i++) {
      double refilled = i == 0 ? 0 : (starts[i] - starts[i - 1]) / 1e9 * perSecond;
      taken = Math.max(0, taken - refilled) + 1;
      worst = Math.max(worst, taken - burst - late.toNanos() / 1e9 * perSecond);
    }
    return worst;
  }
}
