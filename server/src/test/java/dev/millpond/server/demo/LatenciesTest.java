package dev.millpond.server.demo;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class LatenciesTest {
  @Test
  void aPercentileIsTheSmallestValueThatSoManyDoNotExceed() {
    Latencies latencies = new Latencies(100);
    for (int millis = 100; millis >= 1; millis--) {
      latencies.add(Duration.ofMillis(millis));
    }

    assertThat(latencies.percentileMillis(50)).isEqualTo(50);
    assertThat(latencies.percentileMillis(99)).isEqualTo(99);
    assertThat(latencies.percentileMillis(100)).isEqualTo(100);
    assertThat(latencies).hasToString("p50 50.0 ms   p95 95.0 ms   p99 99.0 ms");
  }

  @Test
  void aSingleValueIsEveryPercentile() {
    Latencies latencies = new Latencies(1);
    latencies.add(Duration.ofMillis(7));

    assertThat(latencies.percentileMillis(1)).isEqualTo(7);
    assertThat(latencies.percentileMillis(99.9)).isEqualTo(7);
  }
}
