package dev.millpond.engine.flush;

import dev.millpond.api.SubmitResult.Refused;
import dev.millpond.api.UnavailableException;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * Jobs of one caller under idempotency keys; committed together or not at all.
 *
 * @param items the jobs, each with the key of its own that it may have
 * @param request the key of the request as a whole; null for none
 * @param done completes after the commit, with one verdict for each item, or with a single one of a
 *     submit of which nothing was written
 */
public record KeyedSubmit(
    List<Item> items, @Nullable Key request, CompletableFuture<List<Verdict>> done) {

  /** A job and its own key; without one it is simply written. */
  public record Item(NewJob job, @Nullable Key key) {}

  /**
   * An idempotency key.
   *
   * @param principal who submits; keys of different principals never meet
   * @param bodyHash SHA-256 of the canonical request
   * @param livesMicros from the commit on
   */
  @SuppressWarnings("ArrayRecordComponent") // goes as it is into SQL
  public record Key(String principal, String key, byte[] bodyHash, long livesMicros) {}

  /**
   * Called when nobody writes it any more.
   *
   * @param begun whether it may have been committed
   */
  public void abandon(boolean begun) {
    done.completeExceptionally(
        new UnavailableException(
            begun
                ? Writer.LOST + "; submit again with the same key"
                : Writer.LOST + "; nothing was written. Try again",
            begun,
            null));
  }

  /** All its keys. */
  public List<Key> keys() {
    List<Key> keys = new ArrayList<>();
    if (request != null) {
      keys.add(request);
    }
    for (Item item : items) {
      if (item.key() != null) {
        keys.add(item.key());
      }
    }
    return keys;
  }

  /** What became of an item. */
  public sealed interface Verdict {
    /** Its job is new. */
    record Fresh(UUID id) implements Verdict {}

    /** The key names this job already, for the same body. */
    record Known(UUID id) implements Verdict {}

    /**
     * The key names a job of another body; nothing of the submit was written.
     *
     * @param index of the item whose key it is, -1 for the key of the request
     */
    record Conflict(int index, UUID id) implements Verdict {}

    /** Its queue is full; nothing of the submit was written. */
    record TurnedAway(Refused refused) implements Verdict {}
  }
}
