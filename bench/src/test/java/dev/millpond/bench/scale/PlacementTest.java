package dev.millpond.bench.scale;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.SplittableRandom;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PlacementTest {
  private static final int HASHES = 100_000;
  private static final Offset<Double> CLOSE = within(0.01);

  private static long[] hashes() {
    return new SplittableRandom(42).longs(HASHES).toArray();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 7, 16})
  void eachWaySpreadsEvenly(int cells) {
    int[][] counts = new int[3][cells];
    for (long hash : hashes()) {
      counts[0][Placement.modulo(hash, cells)]++;
      counts[1][Placement.jump(hash, cells)]++;
      counts[2][Placement.rendezvous(hash, cells)]++;
    }
    for (int[] way : counts) {
      for (int count : way) {
        assertThat(count / (double) HASHES).isCloseTo(1.0 / cells, CLOSE);
      }
    }
  }

  @Test
  void oneMoreCellTakesItsShareAndMovesNothingElse() {
    for (long hash : hashes()) {
      assertThat(Placement.jump(hash, 9)).isIn(Placement.jump(hash, 8), 8);
      assertThat(Placement.rendezvous(hash, 9)).isIn(Placement.rendezvous(hash, 8), 8);
    }
  }

  @Test
  void similarNamesAreFarApart() {
    int[] counts = new int[4];
    for (int i = 0; i < HASHES; i++) {
      counts[Placement.rendezvous(Placement.hash("tenant-" + i), 4)]++;
    }
    for (int count : counts) {
      assertThat(count / (double) HASHES).isCloseTo(0.25, CLOSE);
    }
  }

  @Test
  void aTableEvensOutWhatCanBeEvenedOut() {
    double[] loads = {0.4, 0.2, 0.2, 0.1, 0.1};
    assertThat(Placement.carried(Placement.table(loads, 2), loads, 2))
        .containsExactly(new double[] {0.5, 0.5}, CLOSE);
  }

  @Test
  void aTableIsRebalancedByFewMovesToTheNewCell() {
    double[] loads = Skew.zipf(100, 1.0);
    int[] before = Placement.table(loads, 4);
    int[] after = Placement.rebalanced(before, loads, 5);
    double moved = 0;
    for (int queue = 0; queue < loads.length; queue++) {
      if (before[queue] != after[queue]) {
        moved += loads[queue];
      }
    }
    assertThat(moved).isLessThan(0.3);
    for (double carried : Placement.carried(after, loads, 5)) {
      assertThat(carried).isCloseTo(0.2, CLOSE);
    }
  }
}
