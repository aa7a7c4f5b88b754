package dev.millpond.scenarios.play;

import dev.millpond.scenarios.stage.Run;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/** Of the jobs that were started in a time, how many of a hundred had which label. Pure. */
final class Shares {
  private Shares() {}

  /**
   * In percent, by label; empty when nothing was started.
   *
   * @param from inclusive, by {@link System#nanoTime}
   * @param to exclusive
   */
  static Map<String, Double> between(List<Run> runs, long from, long to) {
    Map<String, Integer> counts = new TreeMap<>();
    int all = 0;
    for (Run run : runs) {
      if (run.startNanos() - from >= 0 && run.startNanos() - to < 0) {
        counts.merge(run.label(), 1, Integer::sum);
        all++;
      }
    }
    Map<String, Double> shares = new LinkedHashMap<>();
    for (Map.Entry<String, Integer> count : counts.entrySet()) {
      shares.put(count.getKey(), 100.0 * count.getValue() / all);
    }
    return shares;
  }

  /** How far they are from what is wanted, in points: the worst of all labels. */
  static double off(Map<String, Double> shares, Map<String, Double> wanted) {
    double worst = shares.isEmpty() ? 100 : 0;
    for (Map.Entry<String, Double> want : wanted.entrySet()) {
      worst = Math.max(worst, Math.abs(shares.getOrDefault(want.getKey(), 0.0) - want.getValue()));
    }
    return worst;
  }

  /** One label's share of each step of a time. */
  static List<Double> over(List<Run> runs, String label, long from, long to, long stepNanos) {
    List<Double> shares = new ArrayList<>();
    for (long at = from; at + stepNanos <= to; at += stepNanos) {
      shares.add(between(runs, at, at + stepNanos).getOrDefault(label, 0.0));
    }
    return shares;
  }

  /** As in {@code critical 60.1, high 29.8}. */
  static String text(Map<String, Double> shares) {
    List<String> parts = new ArrayList<>();
    shares.forEach(
        (label, share) -> parts.add(String.format(Locale.ROOT, "%s %.1f", label, share)));
    return String.join(", ", parts);
  }
}
