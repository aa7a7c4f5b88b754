package dev.millpond.server.http.health;

import dev.millpond.engine.Millpond;
import dev.millpond.engine.query.Health;

/**
 * Whether this process should get work: it has started, does not drain, and all that it needs is
 * up. Thread-safe.
 */
public final class Readiness {
  enum Phase {
    STARTING,
    SERVING,
    DRAINING
  }

  private final Millpond millpond;
  private volatile Phase phase = Phase.STARTING;

  public Readiness(Millpond millpond) {
    this.millpond = millpond;
  }

  public void started() {
    phase = Phase.SERVING;
  }

  public void draining() {
    phase = Phase.DRAINING;
  }

  Phase phase() {
    return phase;
  }

  Health health() {
    return millpond.health();
  }
}
