package dev.millpond.engine.maintenance;

import dev.millpond.engine.metrics.EngineMetric;
import dev.millpond.engine.metrics.EngineMetrics;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Timer;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/** How one role of the leader gets on. */
final class RoleMeters {
  private final Timer turns;
  private final Counter failures;
  private volatile long lastNanos = System.nanoTime();

  /**
   * @param on whether it has turns now
   */
  RoleMeters(EngineMetrics metrics, String role, BooleanSupplier on) {
    this.turns = metrics.timer(EngineMetric.ROLE_TURN, role);
    this.failures = metrics.counter(EngineMetric.ROLE_FAILURES, role);
    metrics.gauge(
        EngineMetric.ROLE_AGE,
        () -> on.getAsBoolean() ? (System.nanoTime() - lastNanos) / 1e9 : 0,
        role);
  }

  /** It had a turn. */
  void turned(long beganNanos) {
    long now = System.nanoTime();
    lastNanos = now;
    turns.record(now - beganNanos, TimeUnit.NANOSECONDS);
  }

  /** A turn failed. */
  void failed() {
    failures.increment();
  }
}
