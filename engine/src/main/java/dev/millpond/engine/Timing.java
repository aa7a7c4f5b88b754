package dev.millpond.engine;

import java.time.Duration;

/**
 * The times that decide how soon a fault heals.
 *
 * @param lease a session that has not beaten for this long is fenced and its jobs rescued
 * @param beat how often a session says that it lives, and refreshes its running jobs
 * @param settle S of the protocol: how long a batch may stay undecided between commit and XADD,
 *     between claim and dissolve, and between two sightings of the reconciler
 * @param scan how often the maintenance roles look
 */
public record Timing(Duration lease, Duration beat, Duration settle, Duration scan) {
  /** A dead worker's jobs run again within 20 s. */
  public static final Timing DEFAULT =
      new Timing(
          Duration.ofSeconds(15),
          Duration.ofSeconds(5),
          Duration.ofSeconds(1),
          Duration.ofSeconds(1));

  /** A dead worker's jobs run again within 4 s; for steady hosts. */
  public static final Timing FAST =
      new Timing(
          Duration.ofSeconds(2),
          Duration.ofMillis(500),
          Duration.ofMillis(500),
          Duration.ofMillis(250));

  public Timing {
    check("millpond.timing.lease", lease, Duration.ofSeconds(1), Duration.ofMinutes(10));
    check("millpond.timing.beat", beat, Duration.ofMillis(100), lease.dividedBy(3));
    check("millpond.timing.settle", settle, Duration.ofMillis(100), lease);
    check("millpond.timing.scan", scan, Duration.ofMillis(50), lease);
  }

  private static void check(String key, Duration value, Duration least, Duration most) {
    if (value.compareTo(least) < 0 || value.compareTo(most) > 0) {
      throw new ConfigException(key, value, least + " to " + most);
    }
  }
}
