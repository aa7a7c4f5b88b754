package dev.millpond.engine.simulation;

import dev.millpond.engine.simulation.Redis.Entry;
import dev.millpond.engine.simulation.Redis.Left;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;

/** A lane's stream on one server, with its group. */
final class Stream {
  /** A delivery that was not acknowledged yet. */
  private record Pending(int consumer, long deliveredAt) {}

  final int lane;
  final TreeMap<Long, Entry> entries = new TreeMap<>();
  private final TreeMap<Long, Pending> pending = new TreeMap<>();
  boolean group;
  private long delivered;

  Stream(int lane) {
    this.lane = lane;
  }

  Stream(Stream other) {
    this.lane = other.lane;
    this.entries.putAll(other.entries);
    this.pending.putAll(other.pending);
    this.group = other.group;
    this.delivered = other.delivered;
  }

  /** Makes the group where it is missing, reading from the start. */
  void createGroup() {
    if (!group) {
      group = true;
      delivered = 0;
      pending.clear();
    }
  }

  void destroyGroup() {
    group = false;
    pending.clear();
  }

  /** Undelivered entries. */
  List<Entry> read(int count, int consumer, long now) {
    List<Entry> read = new ArrayList<>();
    for (Entry entry : entries.tailMap(delivered, false).values()) {
      if (read.size() == count) {
        break;
      }
      read.add(entry);
    }
    for (Entry entry : read) {
      delivered = entry.id();
      pending.put(entry.id(), new Pending(consumer, now));
    }
    return read;
  }

  void ack(long id) {
    pending.remove(id);
  }

  /** Entries that were delivered and left. */
  void idle(long millis, long now, int limit, List<Left> into) {
    if (!group) {
      createGroup();
      return;
    }
    for (long id : List.copyOf(pending.keySet())) {
      if (into.size() == limit) {
        return;
      }
      Pending one = pending.get(id);
      if (one != null && now - one.deliveredAt >= millis) {
        Entry entry = entries.get(id);
        if (entry == null) {
          pending.remove(id);
        } else {
          into.add(new Left(entry, one.consumer, now - one.deliveredAt));
        }
      }
    }
  }
}
