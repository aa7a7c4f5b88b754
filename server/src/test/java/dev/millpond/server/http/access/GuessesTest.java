package dev.millpond.server.http.access;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class GuessesTest {
  private final Guesses guesses = new Guesses();

  @Test
  void anAddressHasSomeGuessesAndGetsThemBackOneByOne() {
    long now = 1_000_000_000L;
    for (int i = 0; i < Guesses.MOST; i++) {
      assertThat(guesses.left("10.0.0.1", now)).isTrue();
      assertThat(guesses.take("10.0.0.1", now)).isZero();
    }
    assertThat(guesses.left("10.0.0.1", now)).isFalse();
    assertThat(guesses.take("10.0.0.1", now)).isEqualTo(Duration.ofSeconds(3));
    assertThat(guesses.take("10.0.0.2", now)).isZero();
    long later = now + Duration.ofSeconds(3).toNanos();
    assertThat(guesses.left("10.0.0.1", later)).isTrue();
    assertThat(guesses.take("10.0.0.1", later)).isZero();
    assertThat(guesses.take("10.0.0.1", later)).isPositive();
  }

  @Test
  void addressesOfOneIpv6NetworkShareTheirs() {
    assertThat(Guesses.network("2001:db8:1:2:3:4:5:6")).isEqualTo("2001:db8:1:2");
    assertThat(Guesses.network("2001:db8:1:2:ffff:ffff:ffff:ffff")).isEqualTo("2001:db8:1:2");
    assertThat(Guesses.network("127.0.0.1")).isEqualTo("127.0.0.1");
  }

  @Test
  void theAddressHeardOfLongestAgoIsForgotten() {
    for (int i = 0; i < Guesses.MOST; i++) {
      guesses.take("10.0.0.1", 0);
    }
    for (int i = 0; i < 10_000; i++) {
      guesses.take("10.1." + i / 256 + "." + i % 256, 0);
    }
    assertThat(guesses.left("10.0.0.1", 0)).isTrue();
  }
}
