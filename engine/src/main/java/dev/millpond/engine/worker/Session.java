package dev.millpond.engine.worker;

import java.util.UUID;
import java.util.function.Supplier;

/** The identity under which this process holds jobs. New at each start, and after a fence. */
public final class Session implements Supplier<UUID> {
  private volatile UUID id = UUID.randomUUID();

  /** The current identity; outcomes, claims and beats carry it. */
  @Override
  public UUID get() {
    return id;
  }

  void renew() {
    id = UUID.randomUUID();
  }
}
