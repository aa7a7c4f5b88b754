package dev.millpond.engine.simulation;

import dev.millpond.engine.simulation.Keyed.Item;
import dev.millpond.engine.simulation.Keyed.Verdict;
import dev.millpond.engine.simulation.Rows.Job;
import dev.millpond.engine.simulation.Rows.KeyRow;
import dev.millpond.engine.simulation.Table.Mode;
import dev.millpond.engine.simulation.Work.Said;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * R20, as in the engine's KeyStore: a job is written only by whoever's insert of the key came
 * through; everybody else reads the winner in a later statement. Keys do not end within a play.
 */
final class Keys {
  private final World world;
  private final Pg pg;
  private final List<Keyed> submits;
  private final TreeMap<Integer, Item> wanted = new TreeMap<>();
  private final Set<Integer> fresh = new HashSet<>();
  private final Set<Integer> looked = new HashSet<>();
  private final Map<Integer, KeyRow> winners = new HashMap<>();
  private @Nullable Map<Integer, KeyRow> early;
  private final IdentityHashMap<Keyed, List<Verdict>> verdicts = new IdentityHashMap<>();

  /**
   * @param submits no key is in two of them
   */
  Keys(World world, List<Keyed> submits) {
    this.world = world;
    this.pg = world.pg;
    this.submits = submits;
    submits.forEach(submit -> submit.items().forEach(item -> wanted.put(item.key(), item)));
  }

  void addTo(Work work) {
    work.then(this::take).then(this::readWinners).then(this::judge);
  }

  IdentityHashMap<Keyed, List<Verdict>> verdicts() {
    return verdicts;
  }

  /** Jobs that are to be written. */
  List<Job> jobs() {
    List<Job> jobs = new ArrayList<>();
    for (Keyed submit : submits) {
      List<Verdict> all = verdicts.getOrDefault(submit, List.of());
      for (int i = 0; i < all.size(); i++) {
        if (all.get(i) instanceof Verdict.Fresh) {
          jobs.add(submit.items().get(i).job());
        }
      }
    }
    return jobs;
  }

  /** INSERT … ON CONFLICT, in the order of the keys; a row that is there is locked. */
  private Said take(Tx tx) {
    if (early == null) {
      early = read(tx);
    }
    for (Item item : wanted.values()) {
      int key = item.key();
      if (looked.contains(key)) {
        continue; // before this statement met a lock
      }
      if (world.has(Bug.KEY_LOOKED_UP_FIRST) && !early.containsKey(key)) {
        fresh.add(key);
      }
      switch (pg.key.insert(tx, key, new KeyRow(item.job().id(), item.body()))) {
        case BLOCKED -> {
          return Said.BLOCKED;
        }
        case DONE -> fresh.add(key);
        case EXISTS -> {
          if (!pg.key.lock(tx, key, Mode.NO_KEY_UPDATE)) {
            return Said.BLOCKED;
          }
          if (pg.key.read(tx, key) == null) {
            return Said.BLOCKED; // gone while this waited: it is inserted after all
          }
        }
      }
      looked.add(key);
    }
    return Said.DONE;
  }

  private Map<Integer, KeyRow> read(Tx tx) {
    Map<Integer, KeyRow> there = new HashMap<>();
    for (int key : wanted.keySet()) {
      KeyRow winner = pg.key.read(tx, key);
      if (winner != null) {
        there.put(key, winner);
      }
    }
    return there;
  }

  private Said readWinners(Tx tx) {
    boolean tooEarly = early != null && world.has(Bug.KEY_READ_WITH_THE_INSERT);
    winners.putAll(tooEarly && early != null ? early : read(tx));
    return Said.DONE;
  }

  /** A submit with a conflict gives back the keys that it has just taken. */
  private Said judge(Tx tx) {
    for (Keyed submit : submits) {
      List<Verdict> all = judge(submit);
      verdicts.put(submit, all);
      if (all.getFirst() instanceof Verdict.Conflict && !world.has(Bug.KEY_NOT_GIVEN_BACK)) {
        for (Item item : submit.items()) {
          if (fresh.contains(item.key())) {
            pg.key.write(tx, item.key(), null);
          }
        }
      }
    }
    return Said.DONE;
  }

  private List<Verdict> judge(Keyed submit) {
    List<Verdict> all = new ArrayList<>();
    for (Item item : submit.items()) {
      KeyRow winner = winners.get(item.key());
      if (fresh.contains(item.key())) {
        all.add(new Verdict.Fresh(item.job().id()));
      } else if (winner == null) {
        all.add(new Verdict.Known(item.job().id())); // only with a planted bug
      } else if (winner.body() != item.body() && !world.has(Bug.KEY_BODY_NOT_COMPARED)) {
        return List.of(new Verdict.Conflict(item.key()));
      } else {
        all.add(new Verdict.Known(winner.job()));
      }
    }
    return all;
  }
}
