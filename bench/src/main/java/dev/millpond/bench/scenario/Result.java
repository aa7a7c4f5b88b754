package dev.millpond.bench.scenario;

import dev.millpond.bench.servers.Role;
import dev.millpond.bench.servers.Usage;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/**
 * The figures of one measurement; null where a figure has no meaning or cannot be had. Per-job
 * figures are of the measured time; commits and dead tuples are counted from the start of the
 * connections to their end, over all jobs of the run, because PostgreSQL reports them late.
 *
 * @param mode of Millpond; the name of a peer where it is measured
 * @param ofCeiling rate by the rate of the ceiling
 * @param cpuSecondsPer10k CPU seconds per 10,000 jobs by {@linkplain Role role}
 * @param memory of Java processes by role
 * @param idle of a server without work, where nothing is per job; null elsewhere
 * @param series how figures went in the course of it, where that matters
 * @param problems why the run does not count; empty when valid
 */
public record Result(
    String scenario,
    String label,
    String mode,
    long jobs,
    double seconds,
    double jobsPerSecond,
    @Nullable String ceiling,
    @Nullable Double ofCeiling,
    @Nullable Latency latency,
    Map<String, Double> cpuSecondsPer10k,
    double walBytesPerJob,
    double commitsPerJob,
    @Nullable Double statementsPerJob,
    @Nullable Double redisCommandsPerJob,
    double deadTuplesPerJob,
    Map<String, Memory> memory,
    @Nullable Idle idle,
    List<Series> series,
    List<String> problems) {
  private static final double CPU_JOBS = 10_000;
  private static final double MEGABYTE = 1 << 20;
  private static final double PERCENT = 100;

  /**
   * Percentiles.
   *
   * @param of what was timed
   */
  public record Latency(
      String of, double p50Millis, double p95Millis, double p99Millis, double maxMillis) {}

  /** Resident memory at the start and the end of the measured time. */
  public record Memory(double startMegabytes, double endMegabytes) {}

  /**
   * What a server costs that has nothing to do.
   *
   * @param cpuPercent of a core, by role
   * @param statementsPerSecond null when they are not counted
   * @param redisCommandsPerSecond null without Redis
   */
  public record Idle(
      Map<String, Double> cpuPercent,
      @Nullable Double statementsPerSecond,
      @Nullable Double redisCommandsPerSecond) {}

  static Result of(
      String scenario, String label, String mode, String timed, Measured measured, Ended ended) {
    double jobs = Math.max(1, measured.jobs());
    double allJobs = Math.max(1, ended.jobs());
    Usage usage = measured.usage();
    double rate = measured.jobs() / usage.seconds();
    Ceiling ceiling = measured.ceiling();
    return new Result(
        scenario,
        label,
        mode,
        measured.jobs(),
        usage.seconds(),
        rate,
        ceiling == null ? null : ceiling.name(),
        ceiling == null ? null : rate / ceiling.jobsPerSecond(),
        latency(timed, measured.micros()),
        byLabel(usage.cpuSeconds(), seconds -> seconds * CPU_JOBS / jobs),
        usage.walBytes() / jobs,
        ended.commits() / allJobs,
        each(usage.statements(), jobs),
        each(usage.redisCommands(), jobs),
        ended.deadTuples() / allJobs,
        memory(usage),
        null,
        measured.series(),
        ended.problems());
  }

  /** Of time without work. Nothing is per job. */
  static Result idle(String scenario, String label, String mode, Measured measured, Ended ended) {
    Usage usage = measured.usage();
    double seconds = usage.seconds();
    return perJobNothing(
        scenario,
        label,
        mode,
        seconds,
        memory(usage),
        new Idle(
            byLabel(usage.cpuSeconds(), cpu -> cpu * PERCENT / seconds),
            each(usage.statements(), seconds),
            each(usage.redisCommands(), seconds)),
        ended.problems());
  }

  /** Of a measurement that ended with an error: no figures, and invalid. */
  public static Result failed(Scenario scenario, Mode mode, Exception error) {
    return failed(scenario.name(), scenario.label(), mode.label(), error);
  }

  /** The same, of another queue under its name. */
  public static Result failed(String scenario, String label, String mode, Exception error) {
    Throwable cause = error.getCause();
    String problem = error + (cause == null ? "" : ", by " + cause);
    return perJobNothing(scenario, label, mode, 0, Map.of(), null, List.of(problem));
  }

  private static Result perJobNothing(
      String scenario,
      String label,
      String mode,
      double seconds,
      Map<String, Memory> memory,
      @Nullable Idle idle,
      List<String> problems) {
    return new Result(
        scenario, label, mode, 0, seconds, 0, null, null, null, Map.of(), 0, 0, null, null, 0,
        memory, idle, List.of(), problems);
  }

  /** Name and label, as {@link Scenario#title}. */
  public String title() {
    return scenario + " " + label;
  }

  public boolean valid() {
    return problems.isEmpty();
  }

  private static @Nullable Latency latency(String of, @Nullable Histogram micros) {
    return micros == null || micros.getTotalCount() == 0
        ? null
        : new Latency(
            of,
            micros.getValueAtPercentile(50) / 1e3,
            micros.getValueAtPercentile(95) / 1e3,
            micros.getValueAtPercentile(99) / 1e3,
            micros.getMaxValue() / 1e3);
  }

  private static @Nullable Double each(@Nullable Long count, double times) {
    return count == null ? null : Double.valueOf(count / times);
  }

  private static Map<String, Memory> memory(Usage usage) {
    Map<String, Memory> memory = new TreeMap<>();
    usage
        .residentBefore()
        .forEach((role, before) -> {
          Long after = usage.residentAfter().get(role);
          if (after != null) {
            memory.put(role.label(), new Memory(before / MEGABYTE, after / MEGABYTE));
          }
        });
    return memory;
  }

  private static <V, W> Map<String, W> byLabel(Map<Role, V> values, Function<V, W> change) {
    Map<String, W> changed = new TreeMap<>();
    values.forEach((role, value) -> changed.put(role.label(), change.apply(value)));
    return changed;
  }
}
