package dev.millpond.scenarios.play;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.millpond.scenarios.stage.Run;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class CrowdTest {
  private static Run run(long start, long end) {
    return new Run(1, UUID.randomUUID(), 1, "a", start, end);
  }

  @Test
  void thoseThatOverlapAreCountedAndThoseThatMeetAreNot() {
    assertThat(Crowd.most(List.of())).isZero();
    assertThat(Crowd.most(List.of(run(0, 10), run(10, 20)))).isEqualTo(1);
    assertThat(Crowd.most(List.of(run(0, 11), run(10, 20)))).isEqualTo(2);
    assertThat(Crowd.most(List.of(run(0, 30), run(5, 10), run(8, Run.OPEN), run(9, 12))))
        .isEqualTo(4);
  }

  @Test
  void aBurstIsNotOverTheRateAndOneMoreIs() {
    List<Run> burst = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      burst.add(run(0, 1));
    }
    assertThat(Crowd.overRate(burst, 10, 5, Duration.ZERO)).isZero();
    burst.add(run(0, 1));
    assertThat(Crowd.overRate(burst, 10, 5, Duration.ZERO)).isEqualTo(1);
    assertThat(Crowd.overRate(burst, 10, 5, Duration.ofMillis(200))).isZero();
  }

  @Test
  void theBucketIsRefilledByTime() {
    List<Run> runs = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      runs.add(run(0, 1));
    }
    long second = 1_000_000_000L;
    for (int i = 0; i < 6; i++) {
      runs.add(run(second, second + 1)); // five permits have come
    }
    assertThat(Crowd.overRate(runs, 10, 5, Duration.ZERO)).isCloseTo(1, within(1e-9));
  }
}
