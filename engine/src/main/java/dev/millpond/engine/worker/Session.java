package dev.millpond.engine.worker;

import java.util.UUID;
import java.util.function.Supplier;

/** The identity under which this process holds jobs. New at each start, and after a fence. */
public final class Session implements Supplier<UUID> {
  private final UUID process = UUID.randomUUID();
  private volatile UUID id = process;

  /** The same for all identities of this process, and the first of them. */
  public UUID process() {
    return process;
  }

  /** The current identity; outcomes, claims and beats carry it. */
  @Override
  public UUID get() {
    return id;
  }

  void renew() {
    id = UUID.randomUUID();
  }
}
