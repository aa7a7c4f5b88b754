package dev.millpond.engine;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * How long ended jobs are kept. A job goes with its whole day (UTC), so it may stay for up to a day
 * longer; and never before the idempotency keys of its day have expired. The same for all processes
 * of a fleet: the leader's counts.
 *
 * @param succeeded kept for so long after the end
 * @param cancelled kept for so long after the end
 * @param dead how long dead letters are kept; null keeps them until they are redriven
 * @param audit how long it is kept what callers have changed, and keys that have ended
 */
public record RetentionConfig(
    Duration succeeded, Duration cancelled, @Nullable Duration dead, Duration audit) {
  public static final Duration LEAST = Duration.ofHours(1);
  public static final Duration MOST = Duration.ofDays(3650);

  /** A week; dead letters for good; the audit for 90 days. */
  public static final RetentionConfig DEFAULT =
      new RetentionConfig(Duration.ofDays(7), Duration.ofDays(7), null, Duration.ofDays(90));

  public RetentionConfig {
    check("millpond.retention.succeeded", succeeded);
    check("millpond.retention.cancelled", cancelled);
    if (dead != null) {
      check("millpond.retention.dead", dead);
    }
    check("millpond.audit.retention", audit);
  }

  /** A key must not outlive its job. */
  void checkKeys(Duration keysLive) {
    atLeast("millpond.retention.succeeded", succeeded, keysLive);
    atLeast("millpond.retention.cancelled", cancelled, keysLive);
    if (dead != null) {
      atLeast("millpond.retention.dead", dead, keysLive);
    }
  }

  private static void atLeast(String key, Duration value, Duration keysLive) {
    if (value.compareTo(keysLive) < 0) {
      throw new ConfigException(
          key, value, "at least millpond.idempotency.ttl, which is " + keysLive);
    }
  }

  private static void check(String key, Duration value) {
    if (value.compareTo(LEAST) < 0 || value.compareTo(MOST) > 0) {
      throw new ConfigException(key, value, LEAST + " to " + MOST);
    }
  }
}
