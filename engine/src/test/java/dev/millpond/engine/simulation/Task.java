package dev.millpond.engine.simulation;

import org.jspecify.annotations.Nullable;

/** Something that takes steps: a thread of a process, or a backend of the database. */
abstract class Task {
  /** Whose it is; null for what goes on whatever happens to processes. */
  final @Nullable Node owner;

  long readyAt;
  boolean over;

  Task(@Nullable Node owner) {
    this.owner = owner;
  }

  /** Takes one step: at most one I/O. Sets {@link #readyAt} if the next one is not due at once. */
  abstract void step();

  boolean mayRun(long now) {
    return readyAt <= now && (owner == null || owner.pausedUntil <= now);
  }
}
