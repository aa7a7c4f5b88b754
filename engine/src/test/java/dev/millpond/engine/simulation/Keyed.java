package dev.millpond.engine.simulation;

import dev.millpond.engine.simulation.Rows.Job;
import java.util.List;
import java.util.function.Consumer;

/**
 * A submit under idempotency keys, as the engine's KeyedSubmit: all of it is written or nothing.
 *
 * @param told hears one verdict for each item, or a single conflict; nothing where it was refused
 */
record Keyed(List<Item> items, Consumer<List<Verdict>> told) {
  /** A job, its key, and what is asked under that. */
  record Item(Job job, int key, int body) {}

  /** What became of an item. */
  sealed interface Verdict {
    record Fresh(int job) implements Verdict {}

    record Known(int job) implements Verdict {}

    /** The key is another body's. */
    record Conflict(int key) implements Verdict {}
  }
}
