package dev.millpond.engine;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The table of docs/tuning.md. */
class SizingTest {
  @ParameterizedTest
  @CsvSource({
    "1, 16, 8, 8, 29", "2, 16, 8, 8, 29", "4, 32, 8, 8, 29", "8, 64, 8, 8, 29",
    "16, 128, 8, 16, 37", "32, 256, 16, 32, 61", "64, 512, 32, 32, 77", "256, 2048, 32, 32, 77"
  })
  void sizesFollowFromProcessors(
      int processors, int slots, int pool, int handlerPool, int connections) {
    Sizing sizing = Sizing.of(processors);
    assertThat(sizing).isEqualTo(new Sizing(processors, slots, pool, handlerPool));
    assertThat(sizing.connectionsMost(0)).isEqualTo(connections);
  }

  @Test
  void eachRedisServerHasAConnectionThatLoads() {
    assertThat(Sizing.of(2).connectionsMost(3)).isEqualTo(32);
  }
}
