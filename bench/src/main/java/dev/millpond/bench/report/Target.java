package dev.millpond.bench.report;

import dev.millpond.bench.scenario.Mode;
import dev.millpond.bench.scenario.Result;
import dev.millpond.bench.servers.Role;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A goal that Millpond has set itself on a machine of two cores, and what was reached.
 *
 * @param what is measured, and where
 * @param goal the bound, with its unit
 * @param reached in the same unit
 */
public record Target(String what, String mode, String goal, String reached, boolean met) {

  /** A goal, and how its figure is found among the results of one mode, by their titles. */
  private record Goal(
      String what,
      boolean atLeast,
      double bound,
      String format,
      Function<Map<String, Result>, @Nullable Double> figure) {}

  private static final String IDLE = "idle server, all roles";

  private static final Set<String> OURS =
      Arrays.stream(Mode.values()).map(Mode::label).collect(Collectors.toSet());

  private static final List<Goal> GOALS = goals();

  private static List<Goal> goals() {
    List<Goal> goals = new ArrayList<>();
    String lists = "end-to-end lists of 1000";
    goals.add(ratio(lists, 0.70));
    goals.add(rate(lists, 120_000));
    goals.add(ratio("end-to-end 256 callers", 0.60));
    goals.add(rate("end-to-end 256 callers", 85_000));
    goals.add(rate("end-to-end 64 callers", 40_000));
    goals.add(rate("drain of a backlog", 180_000));
    goals.add(rate("submit lists of 1000", 200_000));
    goals.add(rate("http 256 connections", 25_000));
    goals.add(
        new Goal(
            "http 256 connections, by an empty endpoint",
            true,
            0.50,
            "%.2f",
            results -> figure(results, "http 256 connections", Result::ofCeiling)));
    goals.add(rate("http lists of 1000", 100_000));
    goals.add(
        new Goal(
            "CPU of an idle server",
            false,
            1.0,
            "%.2f %% of a core",
            results ->
                figure(
                    results,
                    IDLE,
                    result ->
                        result.idle() == null
                            ? null
                            : result.idle().cpuPercent().get(Role.SERVER.label()))));
    goals.add(memory("an idle server", IDLE));
    goals.add(memory("a server under lists of 1000", "http lists of 1000"));
    goals.add(latency("latency at 100/s", "p50", 1.0, Result.Latency::p50Millis));
    goals.add(latency("latency at 100/s", "p99", 2.5, Result.Latency::p99Millis));
    goals.add(
        new Goal(
            "CPU of all processes, " + lists,
            false,
            0.25,
            "%.3f s per 10,000 jobs",
            results -> figure(results, lists, Target::cpu)));
    goals.add(flat("5M waiting by none", "backlog 5M waiting", "backlog 0 waiting"));
    goals.add(flat("5M scheduled by none", "backlog 5M scheduled", "backlog 0 waiting"));
    goals.add(flat("pinned snapshot by none", "snapshot pinned", "snapshot not pinned"));
    return goals;
  }

  /** All goals that the results say something about. */
  static List<Target> of(List<Result> results) {
    Map<String, Map<String, Result>> modes =
        results.stream()
            .filter(result -> OURS.contains(result.mode())) // peers have no goals
            .collect(
                Collectors.groupingBy(
                    Result::mode,
                    Collectors.toMap(Result::title, result -> result, (first, again) -> again)));
    List<Target> targets = new ArrayList<>();
    for (Goal goal : GOALS) {
      modes.forEach((mode, byTitle) -> {
        Double figure = goal.figure.apply(byTitle);
        if (figure != null) {
          boolean met = goal.atLeast ? figure >= goal.bound : figure <= goal.bound;
          String bound = String.format(Locale.ROOT, goal.format, goal.bound);
          targets.add(
              new Target(
                  goal.what,
                  mode,
                  (goal.atLeast ? "at least " : "at most ") + bound,
                  String.format(Locale.ROOT, goal.format, figure),
                  met));
        }
      });
    }
    return targets;
  }

  private static Goal ratio(String title, double bound) {
    return new Goal(
        title + ", by the bare statements",
        true,
        bound,
        "%.2f",
        results -> figure(results, title, Result::ofCeiling));
  }

  private static Goal rate(String title, double bound) {
    return new Goal(
        title,
        true,
        bound,
        "%,.0f jobs/s",
        results -> figure(results, title, Result::jobsPerSecond));
  }

  private static Goal latency(
      String title, String name, double bound, Function<Result.Latency, Double> percentile) {
    return new Goal(
        title + ", submit to start, " + name,
        false,
        bound,
        "%.2f ms",
        results ->
            figure(
                results,
                title,
                result -> result.latency() == null ? null : percentile.apply(result.latency())));
  }

  private static Goal memory(String what, String title) {
    return new Goal(
        "resident memory of " + what,
        false,
        350,
        "%.0f MB",
        results ->
            figure(
                results,
                title,
                result -> {
                  Result.Memory memory = result.memory().get(Role.SERVER.label());
                  return memory == null ? null : memory.endMegabytes();
                }));
  }

  private static Goal flat(String what, String loaded, String free) {
    return new Goal(
        "rate with " + what,
        true,
        0.90,
        "%.2f",
        results -> {
          Double with = figure(results, loaded, Result::jobsPerSecond);
          Double without = figure(results, free, Result::jobsPerSecond);
          return with == null || without == null || without <= 0 ? null : with / without;
        });
  }

  private static @Nullable Double cpu(Result result) {
    return result.cpuSecondsPer10k().containsKey("postgres")
        ? result.cpuSecondsPer10k().values().stream().mapToDouble(Double::doubleValue).sum()
        : null;
  }

  private static @Nullable Double figure(
      Map<String, Result> results, String title, Function<Result, @Nullable Double> figure) {
    Result result = results.get(title);
    return result == null || !result.valid() ? null : figure.apply(result);
  }
}
