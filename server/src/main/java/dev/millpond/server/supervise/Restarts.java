package dev.millpond.server.supervise;

import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;

/**
 * When a process that died is started again: after a wait that doubles with each death that came
 * soon after its start. Not thread-safe.
 */
public final class Restarts {
  private static final Duration BASE = Duration.ofMillis(250);
  private static final Duration MAX = Duration.ofSeconds(15);

  /** One that lived this long starts over with the shortest wait. */
  private static final Duration STEADY = Duration.ofSeconds(30);

  private static final int DOUBLINGS_MOST = 16;

  private int quickDeaths;

  /**
   * Takes note of a death.
   *
   * @param lived from its start on
   * @return how long to wait now
   */
  public Duration afterDeath(Duration lived) {
    quickDeaths = lived.compareTo(STEADY) >= 0 ? 1 : quickDeaths + 1;
    return backoff(quickDeaths);
  }

  /** Half to all of {@code min(base * 2^(deaths-1), max)}: never at once, and not all together. */
  static Duration backoff(int quickDeaths) {
    long ceiling =
        Math.min(MAX.toMillis(), BASE.toMillis() << Math.min(quickDeaths - 1, DOUBLINGS_MOST));
    return Duration.ofMillis(ThreadLocalRandom.current().nextLong(ceiling / 2, ceiling + 1));
  }
}
