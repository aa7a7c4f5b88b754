package dev.millpond.bench.scale;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.ToIntFunction;

/**
 * How evenly queues of unequal load spread over cells, and how much moves when one is added: the
 * load of the queue of rank r is proportional to r to the power of minus s (Zipf). Deterministic by
 * its seed, which stands for the names of the queues.
 */
final class Skew {
  private static final int TRIALS = 200;
  private static final double HIGH = 0.95;

  /** A queue with more than this share of a cell's mean load is spread over all cells. */
  private static final double SPREAD = 0.5;

  private Skew() {}

  /**
   * How a way of placing does.
   *
   * @param hottest share of the load on the hottest cell, mean of the trials
   * @param hottestHigh the same, 95th percentile
   * @param moved share of the load that changes its cell when one is added, mean
   * @param hottestAfter share of the hottest cell with that cell, mean
   */
  record Spread(
      String way,
      int queues,
      double exponent,
      int cells,
      double hottest,
      double hottestHigh,
      double moved,
      double hottestAfter) {

    /** How many cells' worth of work the cells do before the hottest one is full. */
    double worth() {
      return 1 / hottest;
    }
  }

  /** Shares of the load by queue, the hottest first; they sum to one. */
  static double[] zipf(int queues, double exponent) {
    double[] loads = new double[queues];
    double sum = 0;
    for (int rank = 1; rank <= queues; rank++) {
      loads[rank - 1] = Math.pow(rank, -exponent);
      sum += loads[rank - 1];
    }
    for (int i = 0; i < queues; i++) {
      loads[i] /= sum;
    }
    return loads;
  }

  /** All ways on one load. */
  static List<Spread> of(int queues, double exponent, int cells, long seed) {
    double[] loads = zipf(queues, exponent);
    List<Spread> spreads = new ArrayList<>();
    spreads.add(hashed("modulo", loads, exponent, cells, seed, Placement::modulo));
    spreads.add(hashed("jump", loads, exponent, cells, seed, Placement::jump));
    spreads.add(hashed("rendezvous", loads, exponent, cells, seed, Placement::rendezvous));
    spreads.add(table("table", loads, 0, exponent, cells));
    double[] single = Arrays.stream(loads).filter(load -> load <= SPREAD / cells).toArray();
    double spread = 1 - Arrays.stream(single).sum();
    spreads.add(table("table, hot ones spread", single, spread, exponent, cells));
    return spreads;
  }

  /**
   * By a table.
   *
   * @param spread load of queues that are on all cells by the hash of many keys
   */
  private static Spread table(
      String name, double[] loads, double spread, double exponent, int cells) {
    int[] before = Placement.table(loads, cells);
    int[] after = Placement.rebalanced(before, loads, cells + 1);
    double hottest = hottest(before, loads, cells) + spread / cells;
    return new Spread(
        name,
        loads.length,
        exponent,
        cells,
        hottest,
        hottest,
        moved(before, after, loads) + spread / (cells + 1),
        hottest(after, loads, cells + 1) + spread / (cells + 1));
  }

  /** A way to place a hash on one of so many cells. */
  @FunctionalInterface
  interface Way {
    int cell(long hash, int cells);
  }

  private static Spread hashed(
      String name, double[] loads, double exponent, int cells, long seed, Way way) {
    SplittableRandom random = new SplittableRandom(seed);
    double[] hottest = new double[TRIALS];
    double moved = 0;
    double hottestAfter = 0;
    for (int trial = 0; trial < TRIALS; trial++) {
      long[] hashes = random.longs(loads.length).toArray();
      int[] before = place(loads.length, queue -> way.cell(hashes[queue], cells));
      int[] after = place(loads.length, queue -> way.cell(hashes[queue], cells + 1));
      hottest[trial] = hottest(before, loads, cells);
      moved += moved(before, after, loads) / TRIALS;
      hottestAfter += hottest(after, loads, cells + 1) / TRIALS;
    }
    Arrays.sort(hottest);
    return new Spread(
        name,
        loads.length,
        exponent,
        cells,
        Arrays.stream(hottest).average().orElse(0),
        hottest[(int) (HIGH * TRIALS)],
        moved,
        hottestAfter);
  }

  private static int[] place(int queues, ToIntFunction<Integer> way) {
    int[] cellOf = new int[queues];
    for (int queue = 0; queue < queues; queue++) {
      cellOf[queue] = way.applyAsInt(queue);
    }
    return cellOf;
  }

  private static double hottest(int[] cellOf, double[] loads, int cells) {
    return Arrays.stream(Placement.carried(cellOf, loads, cells)).max().orElse(0);
  }

  private static double moved(int[] before, int[] after, double[] loads) {
    double moved = 0;
    for (int queue = 0; queue < loads.length; queue++) {
      moved += before[queue] == after[queue] ? 0 : loads[queue];
    }
    return moved;
  }
}
