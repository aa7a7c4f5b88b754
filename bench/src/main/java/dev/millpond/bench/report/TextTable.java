package dev.millpond.bench.report;

import dev.millpond.bench.peer.Peers;
import dev.millpond.bench.scenario.Ceiling;
import dev.millpond.bench.scenario.Result;
import dev.millpond.bench.scenario.Result.Latency;
import dev.millpond.bench.scenario.Result.Memory;
import dev.millpond.bench.servers.Role;
import java.io.PrintWriter;
import java.util.Comparator;
import java.util.Locale;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** A report as lines for people. Stateless. */
public final class TextTable {
  private TextTable() {}

  /** Prints all of it. */
  public static void print(PrintWriter out, Report report) {
    out.println();
    report.notes().forEach(out::println);
    report.ceilings().forEach(ceiling -> out.println(line(ceiling)));
    out.println(header());
    report.results().stream()
        .sorted(Comparator.comparing(Result::mode).reversed())
        .forEach(result -> out.println(line(result) + times(report, result)));
    targets(out, report);
    out.println(
        "CPU-s: seconds per 10,000 jobs. WAL, commits, SQL statements, Redis commands, dead tuples:"
            + " per job.");
    if (!report.timesBestPeer().isEmpty()) {
      out.println("x peer: the best peer's rate, for latencies its p50, is this many times worse.");
    }
  }

  private static String times(Report report, Result result) {
    Double times = report.timesBestPeer().get(Peers.key(result));
    return times == null ? "" : String.format(Locale.ROOT, "  %.1f x peer", times);
  }

  private static void targets(PrintWriter out, Report report) {
    if (!report.targets().isEmpty()) {
      out.println();
      out.printf("%-56s %-9s %-32s %s%n", "target (2 cores)", "mode", "goal", "reached");
    }
    for (Target target : report.targets()) {
      out.printf(
          "%-56s %-9s %-32s %s%s%n",
          target.what(),
          target.mode(),
          target.goal(),
          target.reached(),
          target.met() ? "" : "  (missed)");
    }
    out.println();
  }

  /** A bare figure as a line. */
  public static String line(Ceiling ceiling) {
    return String.format(
        Locale.ROOT,
        "raw: %-66s %9.0f jobs/s, PostgreSQL CPU-s %s",
        ceiling.name(),
        ceiling.jobsPerSecond(),
        text("%.3f", ceiling.postgresCpuSecondsPer10k()));
  }

  /** Names of the columns. */
  public static String header() {
    return String.format(
        Locale.ROOT,
        "%-10s %-22s %-14s %9s %5s %8s %8s %8s %23s %6s %7s %7s %7s %6s %9s  %s",
        "scenario",
        "",
        "mode",
        "jobs/s",
        "/raw",
        "p50 ms",
        "p95 ms",
        "p99 ms",
        "CPU-s java/pg/redis",
        "WAL B",
        "commits",
        "SQL",
        "Redis",
        "dead",
        "RSS MB",
        "");
  }

  /** One measurement. */
  public static String line(Result result) {
    if (result.idle() != null) {
      return idle(result, result.idle());
    }
    Latency latency = result.latency();
    return String.format(
        Locale.ROOT,
        "%-10s %-22s %-14s %9.0f %5s %8s %8s %8s %23s %6.0f %7.4f %7s %7s %6.3f %9s  %s",
        result.scenario(),
        result.label(),
        result.mode(),
        result.jobsPerSecond(),
        text("%.2f", result.ofCeiling()),
        text("%.2f", latency == null ? null : latency.p50Millis()),
        text("%.2f", latency == null ? null : latency.p95Millis()),
        text("%.2f", latency == null ? null : latency.p99Millis()),
        cpu(result),
        result.walBytesPerJob(),
        result.commitsPerJob(),
        text("%.3f", result.statementsPerJob()),
        text("%.3f", result.redisCommandsPerJob()),
        result.deadTuplesPerJob(),
        memory(result),
        result.valid() ? "ok" : "INVALID");
  }

  private static String idle(Result result, Result.Idle idle) {
    return String.format(
        Locale.ROOT,
        "%-10s %-22s %-14s %% of a core: %s; a second: %s statements, %s Redis commands;"
            + " RSS MB %s  %s",
        result.scenario(),
        result.label(),
        result.mode(),
        idle.cpuPercent().entrySet().stream()
            .filter(each -> !each.getKey().equals(Role.CLIENT.label()))
            .map(each -> String.format(Locale.ROOT, "%s %.2f", each.getKey(), each.getValue()))
            .collect(Collectors.joining(", ")),
        text("%.1f", idle.statementsPerSecond()),
        text("%.1f", idle.redisCommandsPerSecond()),
        memory(result),
        result.valid() ? "ok" : "INVALID");
  }

  /** Java processes in the order of their roles, then PostgreSQL and Redis. */
  private static String cpu(Result result) {
    return Stream.of(Role.CLIENT, Role.WORKER, Role.SERVER, Role.POSTGRES, Role.REDIS)
        .map(role -> {
          Double seconds = result.cpuSecondsPer10k().get(role.label());
          boolean always = role == Role.CLIENT || role == Role.POSTGRES || role == Role.REDIS;
          return seconds == null && !always ? null : text("%.3f", seconds);
        })
        .filter(Objects::nonNull)
        .collect(Collectors.joining("/"));
  }

  /** Of this JVM or, where there are some, the other Java processes: at the start > at the end. */
  private static String memory(Result result) {
    Memory memory =
        result
            .memory()
            .getOrDefault(
                Role.SERVER.label(),
                result.memory().getOrDefault(Role.WORKER.label(), result.memory().get("client")));
    return memory == null
        ? "-"
        : String.format(Locale.ROOT, "%.0f>%.0f", memory.startMegabytes(), memory.endMegabytes());
  }

  private static String text(String format, @Nullable Double value) {
    return value == null ? "-" : String.format(Locale.ROOT, format, value);
  }
}
