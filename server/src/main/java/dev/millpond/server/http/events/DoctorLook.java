package dev.millpond.server.http.events;

import dev.millpond.engine.MillpondConfig;
import dev.millpond.server.doctor.Finding;
import dev.millpond.server.doctor.store.FleetCheck;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * What the doctor says of the fleet, as of a few seconds ago: it looks again when somebody asks.
 * Nobody waits for that, but for the first look after nobody has asked for a while: what is not
 * known yet must not be shown as well. Thread-safe.
 */
final class DoctorLook {
  private static final Duration EVERY = Duration.ofSeconds(5);

  /** What is older says nothing of now. */
  private static final Duration KEEPS = EVERY.multipliedBy(3);

  /** How long the first look is waited for. */
  private static final Duration PATIENCE = Duration.ofSeconds(2);

  private final MillpondConfig config;
  private final AtomicBoolean looking = new AtomicBoolean();
  private volatile List<Finding> found = List.of();
  private volatile long foundNanos = System.nanoTime() - KEEPS.toNanos();
  private volatile long nextNanos = System.nanoTime();

  DoctorLook(MillpondConfig config) {
    this.config = config;
  }

  List<Finding> findings() {
    long now = System.nanoTime();
    if (now - nextNanos >= 0 && looking.compareAndSet(false, true)) {
      nextNanos = now + EVERY.toNanos();
      Thread look = Thread.ofVirtual().name("doctor").start(this::look);
      if (now - foundNanos >= KEEPS.toNanos()) {
        await(look);
      }
    }
    return found;
  }

  private static void await(Thread look) {
    try {
      look.join(PATIENCE);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void look() {
    try {
      found = FleetCheck.run(config.pgUrl(), config.classes());
      foundNanos = System.nanoTime();
    } finally {
      looking.set(false);
    }
  }
}
