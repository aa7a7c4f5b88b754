package dev.millpond.engine.retry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.api.Backoff;
import dev.millpond.api.FatalJobException;
import dev.millpond.api.RetryJobException;
import dev.millpond.engine.flush.Portion.Next;
import java.time.Duration;
import java.util.Random;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RetryPolicyTest {
  private final RuntimeException error = new IllegalStateException("no");

  private final RetryPolicy policy =
      new RetryPolicy(20, new Backoff(Duration.ofSeconds(1), Duration.ofHours(1)));

  @ParameterizedTest
  @CsvSource({"1,1", "2,2", "3,4", "10,512", "12,2048", "13,3600", "19,3600"})
  void theCeilingDoublesWithEachAttemptUpToTheMaximum(int attempt, long seconds) {
    assertThat(policy.ceilingMicros(attempt)).isEqualTo(seconds * 1_000_000);
  }

  @Test
  void theCeilingStaysAtTheMaximumHoweverManyAttemptsThereWere() {
    RetryPolicy many =
        new RetryPolicy(1_000, new Backoff(Duration.ofNanos(1_000), Duration.ofDays(1)));

    assertThat(many.ceilingMicros(999)).isEqualTo(Duration.ofDays(1).toNanos() / 1_000);
  }

  @Test
  void theWaitIsSpreadEvenlyFromZeroToTheCeiling() {
    Random random = new Random(7);
    double sum = 0;
    long least = Long.MAX_VALUE;
    long most = 0;
    int rounds = 20_000;
    for (int i = 0; i < rounds; i++) {
      long micros = delay(policy.after(error, 4, random));
      sum += micros;
      least = Math.min(least, micros);
      most = Math.max(most, micros);
    }

    assertThat(sum / rounds).isBetween(3_900_000.0, 4_100_000.0);
    assertThat(least).isLessThan(10_000);
    assertThat(most).isBetween(7_990_000L, 8_000_000L);
  }

  @Test
  void theLastAttemptLeadsToADeadLetter() {
    assertThat(policy.after(error, 19, RandomGenerator.getDefault()))
        .isInstanceOf(Next.Retry.class);
    assertThat(policy.after(error, 20, RandomGenerator.getDefault()))
        .isEqualTo(new Next.Dead("exhausted"));
  }

  @Test
  void aFatalErrorIsNotTriedAgain() {
    assertThat(policy.after(new FatalJobException("never"), 1, RandomGenerator.getDefault()))
        .isEqualTo(new Next.Dead("fatal"));
  }

  @Test
  void aHandlerMayChooseItsWaitButNotMoreAttempts() {
    RetryJobException chosen = new RetryJobException("later", Duration.ofMinutes(3));

    assertThat(policy.after(chosen, 1, RandomGenerator.getDefault()))
        .isEqualTo(new Next.Retry(180_000_000));
    assertThat(policy.after(chosen, 20, RandomGenerator.getDefault()))
        .isEqualTo(new Next.Dead("exhausted"));
  }

  private static long delay(Next next) {
    return next instanceof Next.Retry retry ? retry.delayMicros() : -1;
  }
}
