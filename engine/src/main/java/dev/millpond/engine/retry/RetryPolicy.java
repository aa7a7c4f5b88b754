package dev.millpond.engine.retry;

import dev.millpond.api.Backoff;
import dev.millpond.api.FatalJobException;
import dev.millpond.api.RetryJobException;
import dev.millpond.engine.flush.Portion.Next;
import java.time.Duration;
import java.util.random.RandomGenerator;

/**
 * What follows a failed attempt: the kind's or the job's limits, and full jitter. Immutable.
 *
 * @param maxAttempts after which the job is dead
 * @param backoff the wait between attempts
 */
public record RetryPolicy(int maxAttempts, Backoff backoff) {

  /** Longest doubling that cannot overflow; the ceiling is reached long before. */
  private static final int DOUBLINGS_MAX = 40;

  /**
   * Decides.
   *
   * @param error what the handler threw
   * @param attempt that failed, from 1
   * @param random uniform source of the jitter
   */
  public Next after(Throwable error, int attempt, RandomGenerator random) {
    if (error instanceof FatalJobException) {
      return new Next.Dead("fatal");
    }
    if (attempt >= maxAttempts) {
      return new Next.Dead("exhausted");
    }
    if (error instanceof RetryJobException chosen) {
      return new Next.Retry(micros(chosen.delay()));
    }
    return new Next.Retry((long) (random.nextDouble() * ceilingMicros(attempt)));
  }

  /** {@code min(base * 2^(attempt-1), max)} in microseconds. */
  long ceilingMicros(int attempt) {
    double doubled = micros(backoff.base()) * Math.pow(2, Math.min(attempt - 1, DOUBLINGS_MAX));
    return (long) Math.min(doubled, (double) micros(backoff.max()));
  }

  private static long micros(Duration duration) {
    return duration.toNanos() / 1_000;
  }
}
