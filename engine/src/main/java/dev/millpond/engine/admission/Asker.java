package dev.millpond.engine.admission;

import org.jspecify.annotations.Nullable;

/** How a lane asks PostgreSQL about a queue, on its own connection. */
@FunctionalInterface
public interface Asker {
  /** The answer; null when there is none: the flush that follows finds out why. */
  @Nullable Answer ask(String queue);
}
