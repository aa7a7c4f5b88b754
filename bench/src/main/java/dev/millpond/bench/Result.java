package dev.millpond.bench;

import dev.millpond.bench.Bed.Finish;
import dev.millpond.bench.Scenario.Measured;
import java.util.List;
import java.util.Locale;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/**
 * The figures of one measurement; null where a figure has no meaning or cannot be had. Per-job
 * figures are of the measured time; commits are counted from the start of the connections to their
 * end, over all jobs of the run, because PostgreSQL reports them late.
 *
 * @param ofCeiling rate by the rate of the bare statements
 * @param clientCpu seconds per 100,000 jobs, as the two others
 * @param problems why the run does not count; empty when valid
 */
record Result(
    String scenario,
    String label,
    String mode,
    long jobs,
    double jobsPerSecond,
    @Nullable Double ofCeiling,
    @Nullable Double p50Millis,
    @Nullable Double p95Millis,
    @Nullable Double p99Millis,
    double clientCpu,
    @Nullable Double postgresCpu,
    @Nullable Double redisCpu,
    double walBytesPerJob,
    double commitsPerJob,
    @Nullable Double statementsPerJob,
    @Nullable Double redisCommandsPerJob,
    List<String> problems) {
  private static final double CPU_JOBS = 100_000;

  static Result of(
      Scenario scenario,
      Mode mode,
      Measured measured,
      Finish finish,
      boolean countsStatements,
      @Nullable Double ceiling) {
    double jobs = Math.max(1, measured.jobs());
    Usage usage = measured.usage();
    double rate = measured.jobs() / usage.seconds();
    return new Result(
        scenario.name(),
        scenario.label(),
        mode.label(),
        measured.jobs(),
        rate,
        ceiling == null ? null : rate / ceiling,
        percentile(measured.micros(), 50),
        percentile(measured.micros(), 95),
        percentile(measured.micros(), 99),
        usage.clientCpu() * CPU_JOBS / jobs,
        times(usage.postgresCpu(), CPU_JOBS / jobs),
        times(usage.redisCpu(), CPU_JOBS / jobs),
        usage.walBytes() / jobs,
        (double) finish.commits() / Math.max(1, finish.jobs()),
        countsStatements ? usage.statements() / jobs : null,
        mode == Mode.STREAMS ? usage.redisCommands() / jobs : null,
        finish.problems());
  }

  private static @Nullable Double percentile(@Nullable Histogram micros, double percent) {
    return micros == null || micros.getTotalCount() == 0
        ? null
        : micros.getValueAtPercentile(percent) / 1_000.0;
  }

  private static @Nullable Double times(@Nullable Double value, double factor) {
    return value == null ? null : value * factor;
  }

  static String header() {
    return String.format(
        Locale.ROOT,
        "%-10s %-24s %-8s %9s %6s %8s %8s %8s %17s %6s %8s %8s %8s  %s",
        "scenario",
        "",
        "mode",
        "jobs/s",
        "/raw",
        "p50 ms",
        "p95 ms",
        "p99 ms",
        "CPU-s java/pg/red",
        "WAL B",
        "commits",
        "SQL",
        "Redis",
        "");
  }

  String line() {
    return String.format(
        Locale.ROOT,
        "%-10s %-24s %-8s %9.0f %6s %8s %8s %8s %17s %6.0f %8.4f %8s %8s  %s",
        scenario,
        label,
        mode,
        jobsPerSecond,
        text("%.2f", ofCeiling),
        text("%.2f", p50Millis),
        text("%.2f", p95Millis),
        text("%.2f", p99Millis),
        text("%.2f", clientCpu) + "/" + text("%.2f", postgresCpu) + "/" + text("%.2f", redisCpu),
        walBytesPerJob,
        commitsPerJob,
        text("%.3f", statementsPerJob),
        text("%.3f", redisCommandsPerJob),
        problems.isEmpty() ? "ok" : "INVALID");
  }

  private static String text(String format, @Nullable Double value) {
    return value == null ? "-" : String.format(Locale.ROOT, format, value);
  }
}
