package dev.millpond.bench.scale;

import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;

/**
 * Which cell a queue, or a key, belongs to, by each of the ways that were compared. Stateless;
 * hashes are 64 bits of a name, well mixed.
 */
final class Placement {
  /** Sebastiano Vigna's SplitMix64 constants: they mix what differs in one bit over all of them. */
  private static final long GAMMA = 0x9E3779B97F4A7C15L;

  /** Two cells whose loads differ by less than this share of a mean one are alike. */
  private static final double ALIKE = 0.02;

  private Placement() {}

  /** A hash of a name: FNV-1a, then mixed. */
  static long hash(String name) {
    long hash = 0xCBF29CE484222325L;
    for (int i = 0; i < name.length(); i++) {
      hash = (hash ^ name.charAt(i)) * 0x100000001B3L;
    }
    return mix(hash);
  }

  private static long mix(long value) {
    long mixed = value + GAMMA;
    mixed = (mixed ^ (mixed >>> 30)) * 0xBF58476D1CE4E5B9L;
    mixed = (mixed ^ (mixed >>> 27)) * 0x94D049BB133111EBL;
    return mixed ^ (mixed >>> 31);
  }

  /** The remainder: a new cell moves nearly everything. */
  static int modulo(long hash, int cells) {
    return (int) Long.remainderUnsigned(hash, cells);
  }

  /**
   * Highest random weight (Thaler and Ravishankar, 1998): each cell draws a number for the hash,
   * the highest wins. A new cell takes its share from all others and nothing else moves; a cell may
   * have any name and any of them may go.
   */
  static int rendezvous(long hash, int cells) {
    int best = 0;
    long highest = Long.MIN_VALUE;
    for (int cell = 0; cell < cells; cell++) {
      long drawn = mix(hash ^ (cell + 1) * GAMMA);
      if (drawn > highest) {
        highest = drawn;
        best = cell;
      }
    }
    return best;
  }

  /**
   * Jump consistent hash (Lamping and Veach, 2014): moves as little as rendezvous at a cost of log
   * n, but only the last cell can go.
   */
  static int jump(long hash, int cells) {
    long key = hash;
    long bucket = -1;
    long next = 0;
    while (next < cells) {
      bucket = next;
      key = key * 2862933555777941757L + 1;
      next = (long) ((bucket + 1) * ((double) (1L << 31) / ((key >>> 33) + 1)));
    }
    return (int) bucket;
  }

  /** A table: the queue with the most load first, each to the cell that has the least by then. */
  static int[] table(double[] loads, int cells) {
    int[] cellOf = new int[loads.length];
    double[] carried = new double[cells];
    IntStream.range(0, loads.length)
        .boxed()
        .sorted(Comparator.comparingDouble(queue -> -loads[queue]))
        .forEach(queue -> {
          int least = 0;
          for (int cell = 1; cell < cells; cell++) {
            if (carried[cell] < carried[least]) {
              least = cell;
            }
          }
          cellOf[queue] = least;
          carried[least] += loads[queue];
        });
    return cellOf;
  }

  /**
   * A table after cells were added: from the fullest cell that has a queue to give to the emptiest,
   * always the largest queue that makes the two more alike, until there is none or all are alike.
   */
  static int[] rebalanced(int[] before, double[] loads, int cells) {
    int[] cellOf = Arrays.copyOf(before, before.length);
    double[] carried = carried(cellOf, loads, cells);
    double total = Arrays.stream(loads).sum();
    for (int moves = 0; moves < loads.length; moves++) {
      int emptiest = 0;
      for (int cell = 1; cell < cells; cell++) {
        emptiest = carried[cell] < carried[emptiest] ? cell : emptiest;
      }
      int chosen = largestToMove(cellOf, loads, carried, emptiest);
      if (chosen < 0 || carried[cellOf[chosen]] - carried[emptiest] < ALIKE * total / cells) {
        break;
      }
      carried[cellOf[chosen]] -= loads[chosen];
      carried[emptiest] += loads[chosen];
      cellOf[chosen] = emptiest;
    }
    return cellOf;
  }

  private static int largestToMove(int[] cellOf, double[] loads, double[] carried, int to) {
    int chosen = -1;
    for (int queue = 0; queue < loads.length; queue++) {
      double room = (carried[cellOf[queue]] - carried[to]) / 2;
      if (cellOf[queue] == to || loads[queue] > room) {
        continue;
      }
      double fuller = chosen < 0 ? 1 : carried[cellOf[queue]] - carried[cellOf[chosen]];
      if (fuller > 0 || (fuller == 0 && loads[queue] > loads[chosen])) {
        chosen = queue;
      }
    }
    return chosen;
  }

  /** What each cell carries. */
  static double[] carried(int[] cellOf, double[] loads, int cells) {
    double[] carried = new double[cells];
    for (int queue = 0; queue < loads.length; queue++) {
      carried[cellOf[queue]] += loads[queue];
    }
    return carried;
  }
}
