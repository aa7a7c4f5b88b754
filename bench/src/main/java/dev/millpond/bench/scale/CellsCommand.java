package dev.millpond.bench.scale;

import dev.millpond.bench.scale.CellModel.Bound;
import dev.millpond.bench.scale.CellModel.Costs;
import dev.millpond.bench.scale.CellModel.Host;
import dev.millpond.bench.scale.Skew.Spread;
import dev.millpond.bench.servers.Cleanup;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * {@code millpond bench cells}: what several PostgreSQLs should do, from measured costs, and two of
 * them on this machine beside one. Prints the tables of docs/scaling.md.
 */
@Command(
    name = "cells",
    mixinStandardHelpOptions = true,
    description = {
      "Predicts what cells, each one PostgreSQL with its nodes, do: rates, connections, log and"
          + " network, skew of queues over cells, and what moves when a cell is added.",
      "With --trial runs one and two cells on this machine in turns: a job must cost the same."
    },
    footer = {"", "Exit codes: 0 ok, 1 a trial was not valid, 2 usage."})
public final class CellsCommand implements Callable<Integer> {
  private static final int INVALID = 1;
  private static final long WARM_MILLIS = 3_000;
  private static final int TURNS = 3;

  /**
   * Measured on two cores of an AMD EPYC with PostgreSQL 15, docs/performance.md, PostgreSQL only;
   * bytes of the network with {@code bench scale}, docs/scaling.md, those of lists of 100 not
   * apart.
   */
  static final List<Costs> MEASURED =
      List.of(
          new Costs("64 callers", 27.1, 15.4, 0, 640, 510, 276, 33_210),
          new Costs("256 callers", 13.4, 7.1, 0, 633, 459, 258, 71_006),
          new Costs("lists of 100", 12.9, 5.1, 0, 639, 449, 273, 78_144),
          new Costs("lists of 1000", 13.5, 5.3, 0, 643, 449, 273, 74_497));

  /** A host as one may be had. */
  private static final int QUEUES = 200;

  private static final int WRITERS = 32;

  private static final double WAL_MEGABYTES = 500;
  private static final double GIGABITS = 10;
  private static final List<Integer> CORES = List.of(2, 4, 8, 16, 32, 64);
  private static final List<Integer> CELLS = List.of(1, 2, 4, 8, 16);

  @Spec private CommandSpec spec = CommandSpec.create();

  @Option(names = "--seed", paramLabel = "N", description = "Of the names of queues; 1.")
  private long seed = 1;

  @Option(names = "--trial", description = "Run one and two cells here; half a minute.")
  private boolean trial;

  @Option(names = "--seconds", paramLabel = "S", description = "Of each turn of a trial; 4.")
  private int seconds = 4;

  @Override
  public Integer call() throws Exception {
    if (seconds < 1 || seconds > 60) {
      throw new ParameterException(spec.commandLine(), "--seconds must be 1 to 60, is " + seconds);
    }
    PrintWriter out = spec.commandLine().getOut();
    tables(seed).forEach(out::println);
    out.flush();
    return trial ? trial(out) : CommandLine.ExitCode.OK;
  }

  private int trial(PrintWriter out) throws Exception {
    boolean valid = true;
    out.println(
        "| cells | jobs/s | CPU-s PostgreSQL | CPU-s Java | shares |\n|---|---|---|---|---|");
    try (Cleanup cleanup = new Cleanup()) {
      CellTrial cells = CellTrial.start(cleanup::add);
      for (int i = 0; i < TURNS; i++) {
        for (int n = 1; n <= 2; n++) {
          CellTrial.Turn turn = cells.run(n, WARM_MILLIS, seconds * 1_000L);
          Double postgres = turn.postgresCpu();
          out.printf(
              Locale.ROOT,
              "| %d | %,.0f | %s | %.2f | %s |%n",
              turn.cells(),
              turn.jobsPerSecond(),
              postgres == null ? "-" : String.format(Locale.ROOT, "%.2f", postgres),
              turn.javaCpu(),
              turn.shares().stream()
                  .map(share -> String.format(Locale.ROOT, "%.2f", share))
                  .toList());
          turn.problems().forEach(out::println);
          out.flush();
          valid &= turn.problems().isEmpty();
        }
      }
    }
    return valid ? CommandLine.ExitCode.OK : INVALID;
  }

  /** The tables of the document, as Markdown. */
  static List<String> tables(long seed) {
    List<String> lines = new ArrayList<>();
    lines.add("One cell on the bench machine, all in one: predicted and measured jobs/s");
    lines.add("");
    lines.add("| load | predicted | measured | off |");
    lines.add("|---|---|---|---|");
    for (Costs costs : MEASURED) {
      double predicted = costs.onOneMachine(2);
      lines.add(
          String.format(
              Locale.ROOT,
              "| %s | %,.0f | %,.0f | %+.0f %% |",
              costs.load(),
              predicted,
              costs.measured(),
              100 * (predicted / costs.measured() - 1)));
    }
    lines.add("");
    rates(lines);
    lines.add("");
    needs(lines);
    lines.add("");
    skews(lines, seed);
    return lines;
  }

  private static void rates(List<String> lines) {
    lines.add(
        String.format(
            Locale.ROOT,
            "One cell by the cores of its PostgreSQL host, thousands of jobs/s at a serial share of"
                + " 0 / 1 %% / 5 %%, and what bounds the first (%d writers, log %.0f MB/s, %.0f"
                + " Gbit/s)",
            WRITERS,
            WAL_MEGABYTES,
            GIGABITS));
    lines.add("");
    lines.add(
        "| cores | " + String.join(" | ", MEASURED.stream().map(Costs::load).toList()) + " |");
    lines.add("|---|" + "---|".repeat(MEASURED.size()));
    for (int cores : CORES) {
      StringBuilder row = new StringBuilder("| " + cores + " |");
      for (Costs costs : MEASURED) {
        Bound free = CellModel.cell(costs, host(cores, 0));
        row.append(
            String.format(
                Locale.ROOT,
                " %.0f / %.0f / %.0f, %s |",
                free.jobsPerSecond() / 1e3,
                CellModel.cell(costs, host(cores, 0.01)).jobsPerSecond() / 1e3,
                CellModel.cell(costs, host(cores, 0.05)).jobsPerSecond() / 1e3,
                free.by()));
      }
      lines.add(row.toString());
    }
  }

  private static Host host(int cores, double serial) {
    return new Host(cores, serial, WAL_MEGABYTES, GIGABITS, WRITERS);
  }

  /** What cells of eight cores need around them, in lists of 1000, when the load is even. */
  private static void needs(List<String> lines) {
    Costs costs = MEASURED.getLast();
    lines.add(
        "Cells of eight cores at a serial share of 1 %, lists of 1000, an even load; four API nodes"
            + " a cell that reach every cell, four workers a cell, two Redis servers a cell");
    lines.add("");
    lines.add(
        "| cells | jobs/s | node cores | log a cell, MB/s | network a cell in / out, Gbit/s |"
            + " connections a cell |");
    lines.add("|---|---|---|---|---|---|");
    for (int cells : CELLS) {
      Bound one = CellModel.cell(costs, host(8, 0.01));
      double rate = CellModel.cells(one, 1.0 / cells);
      lines.add(
          String.format(
              Locale.ROOT,
              "| %d | %,.0f | %.0f | %.0f | %.1f / %.1f | %d |",
              cells,
              rate,
              CellModel.nodeCores(costs, rate),
              one.jobsPerSecond() * costs.walBytes() / 1e6,
              one.jobsPerSecond() * costs.netInBytes() * 8 / 1e9,
              one.jobsPerSecond() * costs.netOutBytes() * 8 / 1e9,
              CellModel.connections(4 * cells, 4, 2, 2)));
    }
  }

  private static void skews(List<String> lines, long seed) {
    lines.add(
        "Queues with Zipf loads over cells: share of the hottest cell (mean and 95th percentile of"
            + " 200 draws), cells' worth of work, and what one more cell moves");
    lines.add("");
    lines.add(
        "| queues, s | cells | way | hottest | p95 | worth | moved by one more | hottest then |");
    lines.add("|---|---|---|---|---|---|---|---|");
    for (double exponent : new double[] {0.8, 1.0, 1.2}) {
      for (int cells : new int[] {4, 8}) {
        for (Spread spread : Skew.of(QUEUES, exponent, cells, seed)) {
          lines.add(
              String.format(
                  Locale.ROOT,
                  "| %d, %.1f | %d | %s | %.2f | %.2f | %.1f | %.2f | %.2f |",
                  QUEUES,
                  exponent,
                  cells,
                  spread.way(),
                  spread.hottest(),
                  spread.hottestHigh(),
                  spread.worth(),
                  spread.moved(),
                  spread.hottestAfter()));
        }
      }
    }
  }
}
