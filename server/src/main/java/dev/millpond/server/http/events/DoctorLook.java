package dev.millpond.server.http.events;

import dev.millpond.engine.MillpondConfig;
import dev.millpond.server.doctor.Finding;
import dev.millpond.server.doctor.store.FleetCheck;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * What the doctor says of the fleet, as of a few seconds ago: it looks again when somebody asks,
 * and nobody waits for it. Thread-safe.
 */
final class DoctorLook {
  private static final Duration EVERY = Duration.ofSeconds(5);

  private final MillpondConfig config;
  private final AtomicBoolean looking = new AtomicBoolean();
  private volatile List<Finding> found = List.of();
  private volatile long nextNanos = System.nanoTime();

  DoctorLook(MillpondConfig config) {
    this.config = config;
  }

  List<Finding> findings() {
    if (System.nanoTime() - nextNanos >= 0 && looking.compareAndSet(false, true)) {
      nextNanos = System.nanoTime() + EVERY.toNanos();
      Thread.ofVirtual().name("doctor").start(this::look);
    }
    return found;
  }

  private void look() {
    try {
      found = FleetCheck.run(config.pgUrl(), config.classes());
    } finally {
      looking.set(false);
    }
  }
}
