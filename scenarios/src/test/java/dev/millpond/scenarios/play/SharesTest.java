package dev.millpond.scenarios.play;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.scenarios.stage.Run;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class SharesTest {
  private static final List<Run> RUNS = List.of(run("a", 0), run("a", 1), run("a", 2), run("b", 3));

  private static Run run(String label, long start) {
    return new Run(1, UUID.randomUUID(), 1, label, start, start + 1);
  }

  @Test
  void sharesAreOfWhatWasStartedInTheTime() {
    assertThat(Shares.between(RUNS, 0, 4)).containsOnly(Map.entry("a", 75.0), Map.entry("b", 25.0));
    assertThat(Shares.between(RUNS, 2, 4)).containsOnly(Map.entry("a", 50.0), Map.entry("b", 50.0));
    assertThat(Shares.between(RUNS, 9, 10)).isEmpty();
    assertThat(Shares.over(RUNS, "a", 0, 4, 2)).containsExactly(100.0, 50.0);
  }

  @Test
  void theWorstLabelCountsAndNothingAtAllIsOff() {
    Map<String, Double> wanted = Map.of("a", 60.0, "b", 40.0);
    assertThat(Shares.off(Shares.between(RUNS, 0, 4), wanted)).isEqualTo(15.0);
    assertThat(Shares.off(Map.of(), wanted)).isEqualTo(100.0);
    assertThat(Shares.off(Map.of("a", 60.0), wanted)).isEqualTo(40.0);
  }
}
