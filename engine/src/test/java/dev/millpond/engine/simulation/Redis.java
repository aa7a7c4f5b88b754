package dev.millpond.engine.simulation;

import dev.millpond.engine.simulation.Rows.Batch;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** The model's Redis: one stream with its group, and the claim hints. Commands are atomic. */
final class Redis {
  /** Thrown where a command gets no answer, or an error. */
  static final class Refused extends Exception {
    private static final long serialVersionUID = 1L;

    Refused(String why) {
      super(why, null, false, false);
    }
  }

  /** An entry of the stream. */
  record Entry(long id, Batch batch) {}

  /** A delivery that was not acknowledged yet. */
  private record Pending(long deliveredAt) {}

  /** How long a claim hint lives. */
  private static final long HINT = 4 * World.SETTLE;

  private final World world;
  private TreeMap<Long, Entry> stream = new TreeMap<>();
  private TreeMap<Long, Pending> pending = new TreeMap<>();
  private Map<Integer, Long> hints = new HashMap<>();
  private boolean group;
  private long delivered;
  private long lastId;
  boolean up = true;

  /** Grows with each restart: a connection from before does not outlive it. */
  int starts;

  private long restoreAfter = Rows.NEVER;

  private @Nullable Redis saved;

  Redis(World world) {
    this.world = world;
  }

  private void mustBeUp() throws Refused {
    if (!up) {
      throw new Refused("down");
    }
  }

  void add(Batch batch) throws Refused {
    mustBeUp();
    long id = ++lastId;
    stream.put(id, new Entry(id, batch));
    world.trace.add(() -> "XADD " + id + " " + batch);
    if (restoreAfter != Rows.NEVER) {
      save();
      world.later(null, restoreAfter, this::restore);
      restoreAfter = Rows.NEVER;
    }
  }

  /** Makes the group where it is missing, reading from the start. */
  void createGroup() throws Refused {
    mustBeUp();
    if (!group) {
      group = true;
      delivered = 0;
      pending.clear();
    }
  }

  /** XREADGROUP of undelivered entries. */
  List<Entry> read(int count) throws Refused {
    mustBeUp();
    if (!group) {
      throw new Refused("NOGROUP");
    }
    List<Entry> read = new ArrayList<>();
    for (Entry entry : stream.tailMap(delivered, false).values()) {
      if (read.size() == count) {
        break;
      }
      read.add(entry);
    }
    for (Entry entry : read) {
      delivered = entry.id;
      pending.put(entry.id, new Pending(world.now));
      world.trace.add(() -> "XREADGROUP " + entry.id + " " + entry.batch);
    }
    return read;
  }

  /** SET NX of a claim hint: whether it was the first. */
  boolean hint(Batch batch) throws Refused {
    mustBeUp();
    if (world.chaos.outOfMemory()) {
      return true;
    }
    Long until = hints.get(batch.id());
    if (until != null && until > world.now) {
      return false;
    }
    hints.put(batch.id(), world.now + HINT);
    return true;
  }

  void delete(long id) throws Refused {
    mustBeUp();
    stream.remove(id);
  }

  void ack(long id) throws Refused {
    mustBeUp();
    pending.remove(id);
  }

  /** XAUTOCLAIM: entries that were delivered and left; their time begins anew. */
  List<Entry> idle(long millis, int limit) throws Refused {
    mustBeUp();
    if (!group) {
      createGroup();
      return List.of();
    }
    List<Entry> left = new ArrayList<>();
    for (long id : List.copyOf(pending.keySet())) {
      if (left.size() == limit) {
        break;
      }
      Pending one = pending.get(id);
      if (one != null && world.now - one.deliveredAt >= millis) {
        Entry entry = stream.get(id);
        if (entry == null) {
          pending.remove(id);
        } else {
          pending.put(id, new Pending(world.now));
          left.add(entry);
        }
      }
    }
    return left;
  }

  /** Ids of all batches on the stream, delivered or not. */
  Set<Integer> present() throws Refused {
    mustBeUp();
    Set<Integer> ids = new HashSet<>();
    stream.values().forEach(entry -> ids.add(entry.batch.id()));
    return ids;
  }

  int length() throws Refused {
    mustBeUp();
    return stream.size();
  }

  boolean isEmpty() {
    return stream.isEmpty();
  }

  // Faults.

  void loseAll() {
    stream = new TreeMap<>();
    pending = new TreeMap<>();
    hints = new HashMap<>();
    group = false;
    starts++;
  }

  /** It is saved after the next entry, and some time later it dies and comes back like that. */
  void restoreAfterNextAdd(long millis) {
    restoreAfter = millis;
  }

  private void save() {
    Redis copy = new Redis(world);
    copy.copyFrom(this);
    saved = copy;
  }

  private void restore() {
    if (saved != null) {
      long newest = lastId;
      copyFrom(saved);
      lastId = newest;
      starts++;
      world.trace.add("--- Redis is as it was");
    }
  }

  private void copyFrom(Redis other) {
    stream = new TreeMap<>(other.stream);
    pending = new TreeMap<>(other.pending);
    hints = new HashMap<>(other.hints);
    group = other.group;
    delivered = other.delivered;
    lastId = other.lastId;
  }

  void destroyGroup() {
    group = false;
    pending.clear();
  }

  void loseOne() {
    if (!stream.isEmpty()) {
      long id = pickOne();
      stream.remove(id);
    }
  }

  void doubleOne() {
    if (!stream.isEmpty()) {
      Entry entry = stream.get(pickOne());
      if (entry != null) {
        long id = ++lastId;
        stream.put(id, new Entry(id, entry.batch));
      }
    }
  }

  private long pickOne() {
    List<Long> ids = List.copyOf(stream.keySet());
    return ids.get(world.random.nextInt(ids.size()));
  }
}
