package dev.millpond.engine.simulation;

import dev.millpond.engine.simulation.Rows.Beat;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** Who reads what, as live workers said with their last beats: as in the engine. */
final class Readers {
  private final boolean none;
  private final Map<Integer, Set<Integer>> shards = new HashMap<>();

  private Readers(boolean none) {
    this.none = none;
  }

  /** Of a fleet that nothing is known of. */
  static Readers unknown() {
    return new Readers(true);
  }

  static Readers read(World world) {
    Map<Integer, Set<Integer>> found = new HashMap<>();
    boolean any = false;
    for (long id : world.pg.session.keys()) {
      Beat beat = world.pg.session.committed(id);
      if (beat != null && beat.takes(world.now)) {
        any = true;
        for (int kind : beat.kinds()) {
          found.computeIfAbsent(kind, k -> new TreeSet<>()).addAll(beat.shards());
        }
      }
    }
    Readers readers = new Readers(!any);
    readers.shards.putAll(found);
    return readers;
  }

  boolean read(int shard, int kind) {
    return none || shardsOf(kind).contains(shard);
  }

  boolean runs(int kind) {
    return shards.containsKey(kind);
  }

  Set<Integer> shardsOf(int kind) {
    return shards.getOrDefault(kind, Set.of());
  }
}
