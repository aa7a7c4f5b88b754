package dev.millpond.server.cli.terminal;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;

class AgeTest {
  private static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");

  @Test
  void agesAreInOneUnit() {
    assertThat(age(Duration.ofMillis(5))).isEqualTo("5ms");
    assertThat(age(Duration.ofMillis(1_250))).isEqualTo("1.2s");
    assertThat(age(Duration.ofSeconds(119))).isEqualTo("119s");
    assertThat(age(Duration.ofMinutes(119))).isEqualTo("119m");
    assertThat(age(Duration.ofHours(47))).isEqualTo("47h");
    assertThat(age(Duration.ofDays(400))).isEqualTo("400d");
  }

  @Test
  void timesToComeSaySoUnlessTheClocksMayDiffer() {
    assertThat(age(Duration.ofMinutes(-5))).isEqualTo("in 5m");
    assertThat(age(Duration.ofSeconds(-1))).isEqualTo("0ms");
  }

  private static String age(Duration ago) {
    return Age.of(NOW.minus(ago), NOW);
  }
}
