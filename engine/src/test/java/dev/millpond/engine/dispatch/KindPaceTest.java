package dev.millpond.engine.dispatch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class KindPaceTest {
  private final KindPace pace = new KindPace();

  @ParameterizedTest
  @CsvSource({"10, 64", "300, 64", "1000, 20", "9000, 2", "20000, 1", "60000000, 1"})
  void aBatchIsAboutTwentyMillisecondsOfWork(double micros, int jobs) {
    pace.sample("kind", micros, 1);
    assertThat(pace.batchSize("kind", 1_000)).isEqualTo(jobs);
  }

  @ParameterizedTest
  @CsvSource({"1, 4", "10, 4", "64, 4", "160, 10", "1000, 62", "10000, 64"})
  void jobsOfAnUnknownKindAreSpreadOverSixteenBatches(int together, int jobs) {
    assertThat(pace.batchSize("unknown", together)).isEqualTo(jobs);
  }

  @Test
  void aSampleWeighsByItsJobs() {
    pace.sample("kind", 100, 1_000);
    pace.sample("kind", 10_000, 1);
    assertThat(pace.expectedMicros("kind")).isCloseTo(2_080, within(1.0));
    pace.sample("kind", 100, 1_000);
    assertThat(pace.expectedMicros("kind")).isCloseTo(100, within(1.0));
  }

  @Test
  void theFleetsAverageCountsForKindsThatAreNotRunHere() {
    pace.sample("here", 100, 1);
    pace.learn(Map.of("here", 5L, "there", 7L));
    assertThat(pace.expectedMicros("here")).isEqualTo(100);
    assertThat(pace.expectedMicros("there")).isEqualTo(7);
    assertThat(pace.measured()).containsExactly(Map.entry("here", 100L));
  }
}
