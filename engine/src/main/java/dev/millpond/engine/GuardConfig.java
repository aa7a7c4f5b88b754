package dev.millpond.engine;

import java.time.Duration;
import java.util.Map;

/**
 * How a fleet guards itself against jobs that are not seen any more, and workers that wear out.
 *
 * @param visibility how long a running job of a priority class may go without a sign of life from
 *     its session, though that lives; {@link #OTHERS} for classes that are not named. The leader's
 *     counts
 * @param abandonedMax threads of hard-timed-out handlers that a worker bears; with more it is
 *     {@link Millpond#wornOut worn out}
 */
public record GuardConfig(Map<String, Duration> visibility, int abandonedMax) {
  /** Stands for all classes that are not named. */
  public static final String OTHERS = "*";

  public static final Duration VISIBILITY_MAX = Duration.ofDays(1);

  /** A session refreshes its jobs with each beat; this many may be missed at least. */
  public static final int BEATS_LEAST = 3;

  public static final int ABANDONED_CEILING = 10_000;

  /**
   * Half a minute, a minute, two; as many abandoned threads as cores: so many that compute, and
   * hold the carriers of virtual threads, leave nothing to the rest.
   */
  public static final GuardConfig DEFAULT =
      new GuardConfig(
          Map.of(
              "critical",
              Duration.ofSeconds(30),
              "high",
              Duration.ofMinutes(1),
              "normal",
              Duration.ofMinutes(2),
              OTHERS,
              Duration.ofMinutes(2)),
          Math.max(2, Runtime.getRuntime().availableProcessors()));

  public GuardConfig {
    visibility = Map.copyOf(visibility);
    if (abandonedMax < 1 || abandonedMax > ABANDONED_CEILING) {
      throw new ConfigException(
          "millpond.worker.abandoned", abandonedMax, "1 to " + ABANDONED_CEILING);
    }
  }

  /** What holds for classes that are not named. */
  public Duration otherVisibility() {
    Duration others = visibility.get(OTHERS);
    return others != null ? others : Duration.ofMinutes(2);
  }

  /** A live session must not lose its jobs between two beats. */
  void check(Timing timing) {
    Duration least = timing.beat().multipliedBy(BEATS_LEAST);
    visibility.forEach((name, time) -> {
      if (time.compareTo(least) < 0 || time.compareTo(VISIBILITY_MAX) > 0) {
        throw new ConfigException(
            "millpond.worker.visibility",
            name + "=" + time,
            least + " (" + BEATS_LEAST + " beats) to " + VISIBILITY_MAX);
      }
    });
  }

  public GuardConfig withVisibility(Map<String, Duration> times) {
    return new GuardConfig(times, abandonedMax);
  }

  public GuardConfig withAbandonedMax(int threads) {
    return new GuardConfig(visibility, threads);
  }
}
