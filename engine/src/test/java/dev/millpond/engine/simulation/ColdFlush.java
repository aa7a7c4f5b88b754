package dev.millpond.engine.simulation;

import dev.millpond.engine.simulation.Portion.End;
import dev.millpond.engine.simulation.Portion.Held;
import dev.millpond.engine.simulation.Portion.How;
import dev.millpond.engine.simulation.Portion.Written;
import dev.millpond.engine.simulation.Rows.Batch;
import dev.millpond.engine.simulation.Rows.Dispatch;
import dev.millpond.engine.simulation.Rows.Outcome;
import dev.millpond.engine.simulation.Rows.Past;
import dev.millpond.engine.simulation.Rows.Phase;
import dev.millpond.engine.simulation.Rows.State;
import dev.millpond.engine.simulation.Table.Mode;
import dev.millpond.engine.simulation.Work.Said;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The statements of a cold flush, in the engine's order: gates, locks of the state rows, and only
 * then the reads that decide (R1, R3, R4, R5, R7).
 */
final class ColdFlush {
  private final World world;
  private final Pg pg;
  private final List<Portion> portions;
  private final Node node;
  private final int session;
  private final Set<Portion> gone = Collections.newSetFromMap(new IdentityHashMap<>());
  private final Set<Portion> through = Collections.newSetFromMap(new IdentityHashMap<>());
  private final Set<Integer> deleted = new HashSet<>();
  private final IdentityHashMap<Portion, Set<Integer>> stale = new IdentityHashMap<>();
  private final Map<Integer, State> states = new HashMap<>();
  private final Set<Integer> ended = new HashSet<>();
  private final List<End> outcomes = new ArrayList<>();
  private final List<End> later = new ArrayList<>();
  private final List<Held> started = new ArrayList<>();
  private final IdentityHashMap<Portion, List<Held>> back = new IdentityHashMap<>();
  private final Set<Integer> inserted = new HashSet<>();
  private @Nullable List<Long> toLock;
  private @Nullable Map<Integer, State> early;
  private @Nullable Set<Integer> earlyEnded;

  ColdFlush(Node node, List<Portion> portions) {
    this.world = node.world;
    this.pg = world.pg;
    this.portions = portions;
    this.node = node;
    this.session = node.session;
    portions.forEach(portion -> stale.put(portion, new TreeSet<>()));
  }

  void addTo(Work work) {
    work.then(tx -> passGates(tx, true))
        .then(tx -> passGates(tx, false))
        .then(this::lockStates)
        .then(this::readEnded)
        .then(this::insertOutcomes)
        .then(this::deleteStates)
        .then(this::moveOn)
        .then(this::track)
        .then(this::giveBack);
  }

  IdentityHashMap<Portion, Written> written() {
    IdentityHashMap<Portion, Written> written = new IdentityHashMap<>();
    portions.forEach(p -> written.put(p, new Written(gone.contains(p), Set.copyOf(lost(p)))));
    return written;
  }

  private Set<Integer> lost(Portion portion) {
    return stale.getOrDefault(portion, Set.of());
  }

  /** R3, R5: the row of a batch that is over goes; that of another is held for as long as this. */
  private Said passGates(Tx tx, boolean last) {
    if (world.has(Bug.COLD_CHECK_WITH_THE_LOCK) && early == null) {
      early = readStates(tx, jobs());
      earlyEnded = readOutcomes(tx, jobs());
    }
    Mode part = world.has(Bug.COLD_PART_SHARES_ITS_GATE) ? Mode.KEY_SHARE : Mode.UPDATE;
    for (Portion portion : portions) {
      Batch batch = portion.batch();
      if (batch == null || portion.last() != last || through.contains(portion)) {
        continue;
      }
      if (last && deleted.contains(batch.id()) && oneEach()) {
        gone.add(portion); // let another one through
        continue;
      }
      if (!pg.dispatch.lock(tx, batch.id(), last ? Mode.UPDATE : part)) {
        return Said.BLOCKED;
      }
      Dispatch row = pg.dispatch.read(tx, batch.id());
      boolean passes = row != null && (row.claimedBy() == 0 || row.claimedBy() == session);
      if (passes) {
        through.add(portion);
        if (last) {
          pg.dispatch.write(tx, batch.id(), null);
          deleted.add(batch.id());
        }
      } else if (!deleted.contains(batch.id())) {
        gone.add(portion);
      }
    }
    return Said.DONE;
  }

  private boolean oneEach() {
    return !world.has(Bug.ONE_GATE_LETS_TWO_THROUGH) && !world.has(Bug.DRAIN_GIVES_BACK_WHAT_RUNS);
  }

  private Set<Integer> jobs() {
    Set<Integer> ids = new TreeSet<>();
    for (Portion portion : portions) {
      portion.ends().forEach(end -> ids.add(end.job()));
      portion.started().forEach(held -> ids.add(held.job()));
      portion.unstarted().forEach(held -> ids.add(held.job()));
    }
    return ids;
  }

  private Map<Integer, State> readStates(Tx tx, Set<Integer> ids) {
    Map<Integer, State> found = new HashMap<>();
    for (int id : ids) {
      State state = pg.state.read(tx, id);
      if (state != null) {
        found.put(id, state);
      }
    }
    return found;
  }

  private Set<Integer> readOutcomes(Tx tx, Set<Integer> ids) {
    Set<Integer> found = new HashSet<>();
    for (int id : ids) {
      if (pg.outcome.read(tx, id) != null) {
        found.add(id);
      }
    }
    return found;
  }

  private Said lockStates(Tx tx) {
    List<Long> seen = toLock == null ? pg.withState(tx, jobs()) : toLock;
    toLock = seen;
    if (pg.lockStates(tx, seen) == Said.BLOCKED) {
      return Said.BLOCKED;
    }
    states.putAll(early == null ? readStates(tx, jobs()) : early);
    states.keySet().removeIf(id -> early == null && !seen.contains((long) id));
    return Said.DONE;
  }

  /** R1: what has ended is read when everything is held; then each job goes its way. */
  private Said readEnded(Tx tx) {
    ended.addAll(earlyEnded == null ? readOutcomes(tx, jobs()) : earlyEnded);
    for (Portion portion : portions) {
      for (End end : portion.ends()) {
        sort(portion, end);
      }
      for (Held held : portion.started()) {
        if (keep(portion, held.job(), held.token())) {
          started.add(held);
        }
      }
      for (Held held : portion.unstarted()) {
        if (keep(portion, held.job(), held.token())) {
          back.computeIfAbsent(portion, p -> new ArrayList<>()).add(held);
        }
      }
    }
    return Said.DONE;
  }

  private void sort(Portion portion, End end) {
    if (!holds(portion, end.job(), end.token())) {
      lost(portion).add(end.job());
      return;
    }
    State state = states.get(end.job());
    boolean cancel = state != null && state.cancelRequested();
    How how = end.how();
    if (how == How.SUCCESS || how == How.CANCELLED) {
      outcomes.add(end);
    } else if (cancel) {
      outcomes.add(new End(end.job(), end.token(), end.attempt(), end.hasState(), How.CANCELLED));
    } else if (ended.contains(end.job())) {
      lost(portion).add(end.job());
    } else if (how == How.RETURNED) {
      back.computeIfAbsent(portion, p -> new ArrayList<>())
          .add(new Held(end.job(), end.token() + 1, end.attempt()));
      later.add(end);
    } else {
      later.add(end);
    }
  }

  private boolean keep(Portion portion, int job, int token) {
    if (holds(portion, job, token) && !ended.contains(job)) {
      return true;
    }
    lost(portion).add(job);
    return false;
  }

  /** Whether the gate held and the job is where the portion left it: equality, not "at least". */
  private boolean holds(Portion portion, int job, int token) {
    State state = states.get(job);
    if (portion.batch() == null) {
      return state != null
          && state.token() == token
          && state.phase() == Phase.RUNNING
          && state.session() == session;
    }
    if (!portion.gated() || world.has(Bug.NO_HOLDER_GATE)) {
      return true;
    }
    if (gone.contains(portion)) {
      return false;
    }
    return state == null ? token == 1 : state.token() == token && state.phase() == Phase.RUNNABLE;
  }

  private Said insertOutcomes(Tx tx) {
    for (End end : outcomes) {
      if (inserted.contains(end.job())) {
        continue;
      }
      Outcome outcome = new Outcome(end.how() == How.SUCCESS, end.token(), session);
      switch (pg.outcome.insert(tx, end.job(), outcome)) {
        case BLOCKED -> {
          return Said.BLOCKED;
        }
        case DONE -> inserted.add(end.job());
        case EXISTS -> {
          for (Portion portion : portions) {
            if (portion.ends().stream().anyMatch(e -> e.job() == end.job())) {
              lost(portion).add(end.job());
            }
          }
        }
      }
    }
    return Said.DONE;
  }

  private Said deleteStates(Tx tx) {
    Set<Integer> ids = new TreeSet<>(ended);
    outcomes.forEach(end -> ids.add(end.job()));
    for (int id : ids) {
      if (states.containsKey(id)) {
        if (!pg.state.lock(tx, id, Mode.UPDATE)) {
          return Said.BLOCKED;
        }
        if (pg.state.read(tx, id) != null) {
          pg.state.write(tx, id, null);
        }
      }
    }
    return Said.DONE;
  }

  /** R7: retry and burial, t to t + 1; hand-back of a stopped attempt: the same attempt, t + 1. */
  private Said moveOn(Tx tx) {
    for (End end : later) {
      int token = end.token() + 1;
      State next =
          switch (end.how()) {
            case RETRY ->
                State.resting(
                    Phase.SCHEDULED,
                    token,
                    end.attempt() + 1,
                    Past.NONE,
                    world.now + world.random.nextInt(400));
            case DEAD -> State.resting(Phase.DEAD, token, end.attempt(), Past.NONE, Rows.NEVER);
            case RETURNED ->
                State.resting(Phase.RUNNABLE, token, end.attempt(), past(end.job()), Rows.NEVER);
            case SUCCESS, CANCELLED -> throw new IllegalStateException("ended");
          };
      Said said = upsert(tx, end.job(), next, token - 1);
      if (said == Said.BLOCKED) {
        return said;
      }
      if (end.how() == How.DEAD && !inserted.contains(end.job())) {
        switch (pg.deadLetter.insert(tx, end.job(), true)) {
          case BLOCKED -> {
            return Said.BLOCKED;
          }
          case EXISTS -> {
            return Said.UNIQUE;
          }
          case DONE -> inserted.add(end.job());
        }
      }
    }
    return Said.DONE;
  }

  /** INSERT, or UPDATE where the token is still the one expected. */
  private Said upsert(Tx tx, int job, State next, int expected) {
    State there = pg.state.read(tx, job);
    if (there == null) {
      return switch (pg.state.insert(tx, job, next)) {
        case DONE -> Said.DONE;
        case BLOCKED -> Said.BLOCKED;
        case EXISTS -> throw new IllegalStateException("just read");
      };
    }
    if (!pg.state.lock(tx, job, Mode.NO_KEY_UPDATE)) {
      return Said.BLOCKED;
    }
    State now = pg.state.read(tx, job);
    if (now != null && now.token() == expected) {
      pg.state.write(tx, job, next);
    }
    return Said.DONE;
  }

  private Past past(int job) {
    State state = states.get(job);
    return state == null ? Past.NONE : state.past();
  }

  /** R5: what runs on has a state row of its own from here. */
  private Said track(Tx tx) {
    for (Held held : started) {
      State running =
          State.running(held.token(), held.attempt(), past(held.job()), session, world.now);
      if (upsert(tx, held.job(), running, held.token()) == Said.BLOCKED) {
        return Said.BLOCKED;
      }
    }
    return Said.DONE;
  }

  /** R5: a new waiting row for what has not started; never the old one again. */
  private Said giveBack(Tx tx) {
    for (Portion portion : portions) {
      List<Held> held = back.getOrDefault(portion, List.of());
      if (!held.isEmpty()) {
        pg.insertWaiting(
            tx,
            node,
            held.stream().mapToInt(Held::job).toArray(),
            held.stream().mapToInt(Held::token).toArray(),
            portion.elsewhere());
      }
    }
    return Said.DONE;
  }
}
