package dev.millpond.engine.dispatch;

import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Who reads what: the kinds that live workers run, and the shards whose streams those workers read
 * now. A look at the fleet as its workers said with their last beats; immutable.
 */
public final class Readers {
  /** Of a fleet that nothing is known of: whatever is sent is expected to be read. */
  public static final Readers UNKNOWN = new Readers(List.of());

  /**
   * What one worker says.
   *
   * @param shards it reads; none when it claims from PostgreSQL alone
   */
  public record Reader(Collection<String> kinds, Collection<Integer> shards) {}

  private final boolean none;
  private final Map<String, Set<Integer>> shards = new HashMap<>();

  public Readers(List<Reader> readers) {
    this.none = readers.isEmpty();
    for (Reader reader : readers) {
      for (String kind : reader.kinds()) {
        shards.computeIfAbsent(kind, k -> new HashSet<>()).addAll(reader.shards());
      }
    }
  }

  /**
   * Whether a batch of this kind finds a reader there. So it is said of everything while no worker
   * lives.
   */
  public boolean read(int shard, String kind) {
    return none || shardsOf(kind).contains(shard);
  }

  /** Whether a live worker runs this kind, whatever way its batches come. */
  public boolean runs(String kind) {
    return shards.containsKey(kind);
  }

  /** Shards from which workers of this kind expect its batches, not from the table. */
  public Set<Integer> shardsOf(String kind) {
    return shards.getOrDefault(kind, Set.of());
  }
}
