package dev.millpond.bench.scale;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.millpond.bench.scale.CellModel.Costs;
import dev.millpond.bench.scale.CellModel.Host;
import dev.millpond.bench.scale.Skew.Spread;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

class CellModelTest {
  private static final Costs COSTS = new Costs("even", 10, 5, 1, 500, 1_000, 800, 80_000);

  @SuppressWarnings("unused") // named by @FieldSource
  private static final List<Costs> MEASURED = CellsCommand.MEASURED;

  @ParameterizedTest
  @FieldSource("MEASURED")
  void oneCellIsPredictedWithinATenthOfWhatWasMeasured(Costs costs) {
    assertThat(costs.onOneMachine(2) / costs.measured()).isCloseTo(1, within(0.1));
  }

  @Test
  void theLeastOfAllBoundsIsWhatACellDoes() {
    assertThat(CellModel.cell(COSTS, new Host(2, 0, 1_000, 10, 8)).by()).isEqualTo("processors");
    assertThat(CellModel.cell(COSTS, new Host(64, 0, 100, 10, 80)).by()).isEqualTo("log");
    assertThat(CellModel.cell(COSTS, new Host(64, 0, 9_000, 1, 80)).by()).isEqualTo("network");
    assertThat(CellModel.cell(COSTS, new Host(64, 0, 9_000, 99, 2)).by()).isEqualTo("writers");
  }

  @Test
  void aSerialShareBoundsWhatMoreCoresGive() {
    double few = CellModel.cell(COSTS, new Host(16, 0.05, 9e9, 9e9, 1_000)).jobsPerSecond();
    double many = CellModel.cell(COSTS, new Host(64, 0.05, 9e9, 9e9, 1_000)).jobsPerSecond();
    double one = CellModel.cell(COSTS, new Host(1, 0.05, 9e9, 9e9, 1_000)).jobsPerSecond();
    assertThat(many).isGreaterThan(few);
    assertThat(many / one).isLessThan(1 / 0.05);
  }

  @Test
  void aCellMoreConnectsToTheApiNodesOfAll() {
    assertThat(CellModel.connections(8, 4, 2, 2) - CellModel.connections(4, 4, 2, 2)).isEqualTo(40);
  }

  @Test
  void aSlowerNetworkCostsWaitingCallersARoundTripAFlush() {
    assertThat(CellModel.slower(64, 32_000, 0)).isCloseTo(32_000, within(1.0));
    assertThat(CellModel.slower(64, 32_000, 1)).isCloseTo(16_000, within(1.0));
  }

  @Test
  void theSameSeedGivesTheSameSpread() {
    assertThat(Skew.of(50, 1.0, 4, 7)).isEqualTo(Skew.of(50, 1.0, 4, 7));
    assertThat(Skew.of(50, 1.0, 4, 7)).isNotEqualTo(Skew.of(50, 1.0, 4, 8));
  }

  @Test
  void aTableIsNoHotterThanAHashAndMovesNoMoreThanTheRemainder() {
    List<Spread> spreads = Skew.of(200, 1.0, 8, 1);
    Spread table = spreads.get(3);
    assertThat(spreads.getLast().hottest()).isLessThanOrEqualTo(table.hottest());
    for (Spread hashed : spreads.subList(0, 3)) {
      assertThat(table.hottest()).isLessThanOrEqualTo(hashed.hottest());
    }
    assertThat(table.moved()).isLessThan(spreads.getFirst().moved());
    assertThat(spreads.get(2).moved()).isCloseTo(1.0 / 9, within(0.03));
  }
}
