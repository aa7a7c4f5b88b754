package dev.millpond.engine.worker;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class TimeAloneTest {
  private static final Duration SETTLE = Duration.ofSeconds(1);

  private final TimeAlone times = new TimeAlone(SETTLE);

  @Test
  void amongShortOnesEachHasASettleTime() {
    for (int waiting = 200; waiting >= 0; waiting--) {
      assertThat(times.next(1, waiting)).isEqualTo(SETTLE);
      times.taken(Duration.ofMillis(20).toNanos());
    }
  }

  @Test
  void longOnesHaveTheirPartsAndTogetherASettleTimeMore() {
    Duration all = Duration.ZERO;
    for (int waiting = 63; waiting >= 19; waiting--) {
      Duration time = times.next(1, waiting);
      assertThat(time).isBetween(SETTLE.dividedBy(20), SETTLE);
      times.taken(time.toNanos());
      all = all.plus(time);
    }
    assertThat(all).isEqualTo(SETTLE.dividedBy(20).multipliedBy(45).plus(SETTLE));
  }

  @Test
  void oneThatWaitsForTheOthersAndIsAloneForItsTimeTakesNoMoreThanAllThereIs() {
    Duration time = times.next(1, 40);
    times.taken(2 * time.toNanos());
    assertThat(times.next(1, 39)).isEqualTo(SETTLE.dividedBy(20));
  }

  @Test
  void shortOnesLeaveTheirTimeToALaterOne() {
    times.taken(times.next(1, 40).multipliedBy(2).toNanos());
    for (int i = 0; i < 10; i++) {
      times.next(1, 39 - i);
      times.taken(Duration.ofMillis(10).toNanos());
    }
    assertThat(times.next(1, 29)).isEqualTo(Duration.ofMillis(10 * 40 + 50));
  }

  @Test
  void aJobThatWasLostAgainHasFourTimesAsLong() {
    assertThat(times.next(2, 0)).isEqualTo(SETTLE.multipliedBy(4));
    assertThat(times.next(4, 0)).isEqualTo(SETTLE.multipliedBy(64));
    assertThat(times.next(5, 100)).isEqualTo(TimeAlone.LONGEST);
    assertThat(times.next(19, 100)).isEqualTo(TimeAlone.LONGEST);
  }

  @Test
  void theLastOfThoseThatCameTogetherHasASettleTime() {
    times.taken(2 * times.next(1, 40).toNanos());
    assertThat(times.next(1, 0)).isEqualTo(SETTLE);
  }
}
