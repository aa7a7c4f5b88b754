package dev.millpond.engine.dispatch;

import java.util.Set;

/**
 * Queues and kinds whose batches stay in the table for now: they are put on no stream, kept by
 * nobody and not claimed. Immutable.
 */
public record Barred(Set<String> queues, Set<String> kinds) {
  public static final Barred NONE = new Barred(Set.of(), Set.of());

  public Barred {
    queues = Set.copyOf(queues);
    kinds = Set.copyOf(kinds);
  }

  /** Whether a batch of this queue and kind stays there. */
  public boolean bars(String queue, String kind) {
    return queues.contains(queue) || kinds.contains(kind);
  }
}
