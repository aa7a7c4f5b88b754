package dev.millpond.engine.dispatch;

/**
 * A batch that this session has taken.
 *
 * @param receipt what the way needs to forget it; the way's own business
 */
public record Claimed(Batch batch, Receipt receipt) {
  /** Names a delivery. */
  public sealed interface Receipt {
    /** Claimed from the dispatch table; nothing to forget. */
    record Row() implements Receipt {}

    /** An entry of a stream. */
    record Entry(String stream, String entryId) implements Receipt {}
  }
}
