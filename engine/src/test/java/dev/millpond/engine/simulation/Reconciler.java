package dev.millpond.engine.simulation;

import dev.millpond.engine.simulation.Redis.Entry;
import dev.millpond.engine.simulation.Redis.Refused;
import dev.millpond.engine.simulation.Rows.Dispatch;
import dev.millpond.engine.simulation.Rows.Phase;
import dev.millpond.engine.simulation.Work.Answer;
import dev.millpond.engine.simulation.Work.Said;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;

/**
 * R12 with ADR 23, as the engine's class of this name: rows that nobody will come to by their
 * streams, in two sightings S apart; and servers that were away are marked as looked through.
 */
final class Reconciler {
  private final Node node;
  private final World world;
  private final Pg pg;
  private final Maintenance roles;
  private final Map<Integer, Long> sightings = new HashMap<>();
  private final Map<Integer, Long> unmarked = new HashMap<>();

  Reconciler(Node node, Maintenance roles) {
    this.node = node;
    this.world = node.world;
    this.pg = world.pg;
    this.roles = roles;
  }

  void look() {
    if (world.has(Bug.NO_RECONCILER)) {
      return;
    }
    noteUnmarked();
    List<Dispatch> candidates = new ArrayList<>();
    Readers[] readers = {Readers.unknown()};
    roles
        .lead(
            "candidates",
            answer -> {
              if (answer == Answer.COMMITTED) {
                roles.next(this::mark);
                roles.next(() -> compare(candidates, readers[0]));
              }
            })
        .then(tx -> {
          readers[0] = Readers.read(world);
          for (long id : pg.dispatch.keys()) {
            Dispatch row = pg.dispatch.committed(id);
            if (row != null
                && row.sentAt() != Rows.NEVER
                && row.sentAt() < world.now - World.SETTLE
                && row.claimedBy() == Rows.NOBODY) {
              candidates.add(row);
            }
          }
          return Said.DONE;
        });
  }

  private void noteUnmarked() {
    node.links.forEach((shard, link) -> {
      try {
        if (link.call(link.redis::isMarked)) {
          unmarked.remove(shard);
        } else {
          unmarked.putIfAbsent(shard, world.now);
        }
      } catch (Refused e) {
        unmarked.remove(shard);
      }
    });
  }

  /** Marks shards that have been looked through for so long. */
  private void mark() {
    for (int shard : List.copyOf(unmarked.keySet())) {
      Link link = node.links.get(shard);
      long since = unmarked.getOrDefault(shard, world.now);
      if (link != null && world.now - since >= World.SETTLE) {
        try {
          link.call(link.redis::mark);
          unmarked.remove(shard);
        } catch (Refused e) {
          world.checks.count("not marked");
        }
      }
    }
  }

  private void compare(List<Dispatch> candidates, Readers readers) {
    Map<Integer, Map<Integer, Map<Integer, Entry>>> looked = new HashMap<>();
    List<Integer> lost = new ArrayList<>();
    Map<Integer, Entry> unread = new HashMap<>();
    for (Dispatch row : candidates) {
      int id = row.batch().id();
      int kind = row.batch().kind();
      boolean read = readers.read(row.shard(), kind);
      Link link = node.links.get(row.shard());
      if (link == null) {
        if (row.sentAt() < world.now - World.LEASE || !read) {
          lost.add(id);
        }
        continue;
      }
      Link where = world.has(Bug.RECONCILER_LOOKS_AT_ONE_SHARD) ? first(link) : link;
      Entry entry =
          looked
              .computeIfAbsent(row.shard(), s -> new HashMap<>())
              .computeIfAbsent(row.batch().lane(), lane -> present(where, lane))
              .get(id);
      if (entry == null) {
        lost.add(id);
      } else if (!read && readers.runs(kind) && !world.has(Bug.UNREAD_IS_LEFT)) {
        lost.add(id);
        unread.put(id, entry);
      }
    }
    rescue(seenTwice(lost), unread);
  }

  private Link first(Link otherwise) {
    return node.links.isEmpty() ? otherwise : node.links.firstEntry().getValue();
  }

  /** Nothing is there on a server that does not answer: its rows go another way. */
  private static Map<Integer, Entry> present(Link link, int lane) {
    try {
      return link.call(() -> link.redis.present(lane));
    } catch (Refused e) {
      return Map.of();
    }
  }

  private List<Integer> seenTwice(List<Integer> lost) {
    sightings.keySet().retainAll(new HashSet<>(lost));
    List<Integer> twice = new ArrayList<>();
    for (int id : lost) {
      Long first = sightings.putIfAbsent(id, world.now);
      if (first != null && world.now - first >= World.SETTLE) {
        twice.add(id);
        sightings.remove(id);
      }
    }
    return twice;
  }

  private void rescue(List<Integer> twice, Map<Integer, Entry> unread) {
    Map<Long, Integer> missing = new HashMap<>();
    Map<Long, Integer> takenBack = new HashMap<>();
    List<Entry> entries = new ArrayList<>();
    for (int id : twice) {
      Entry entry = unread.get(id);
      (entry == null ? missing : takenBack).put((long) id, Rescue.NO_PROCESS);
      if (entry != null) {
        entries.add(entry);
      }
    }
    if (!takenBack.isEmpty()) {
      world.checks.count("taken back");
      roles.next(() -> redispatch(takenBack, true, entries));
    }
    if (!missing.isEmpty()) {
      roles.next(() -> redispatch(missing, false, List.of()));
    }
  }

  private void redispatch(Map<Long, Integer> rows, boolean direct, List<Entry> entries) {
    Rescue rescue = new Rescue(node, Phase.RUNNABLE, direct);
    Work work =
        roles.lead(
            "reconcile",
            answer -> {
              if (answer == Answer.COMMITTED) {
                entries.forEach(node::remove);
              }
            });
    work.then(tx -> rescue.consume(tx, rows));
    rescue.addTo(work);
  }
}
