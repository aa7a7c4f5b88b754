package dev.millpond.engine.simulation;

import dev.millpond.engine.simulation.Rows.Batch;
import dev.millpond.engine.simulation.Rows.Dispatch;
import dev.millpond.engine.simulation.Rows.Phase;
import dev.millpond.engine.simulation.Rows.State;
import dev.millpond.engine.simulation.Table.Mode;
import dev.millpond.engine.simulation.Work.Said;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Makes jobs of lost holders runnable again: token + 1, the same attempt, a new waiting row (R9,
 * R12). Holders first, outcomes and states in later statements, as in RescueStore.
 */
final class Rescue {
  private static final int CRASHES_MAX = 20;

  private final World world;
  private final Pg pg;
  private final Phase phase;

  /** Jobs to rescue, each with the token that its holder named. */
  private final Map<Integer, Integer> lost = new LinkedHashMap<>();

  private final Map<Integer, State> states = new LinkedHashMap<>();
  private final Set<Integer> ended = new HashSet<>();
  private final Set<Integer> done = new HashSet<>();
  private final List<Integer> again = new ArrayList<>();
  private @Nullable List<Long> toLock;

  /**
   * @param phase of their state rows; in another one somebody has moved them on
   */
  Rescue(World world, Phase phase) {
    this.world = world;
    this.pg = world.pg;
    this.phase = phase;
  }

  /** A job whose holder is locked. */
  void lost(int job, int token) {
    lost.put(job, token);
  }

  /** Deletes dispatch rows: what they name is lost. */
  Said consume(Tx tx, Collection<Long> ids) {
    for (long id : new TreeSet<>(ids)) {
      if (!pg.dispatch.lock(tx, id, Mode.UPDATE)) {
        return Said.BLOCKED;
      }
      Dispatch row = pg.dispatch.read(tx, id);
      if (row != null) {
        pg.dispatch.write(tx, id, null);
        Batch batch = row.batch();
        for (int i = 0; i < batch.jobs().length; i++) {
          lost(batch.jobs()[i], batch.tokens()[i]);
        }
      }
    }
    return Said.DONE;
  }

  void addTo(Work work) {
    work.then(this::lockStates).then(this::readEnded).then(this::bump).then(this::dispatch);
  }

  private Said lockStates(Tx tx) {
    List<Long> seen = toLock == null ? pg.withState(tx, lost.keySet()) : toLock;
    toLock = seen;
    if (pg.lockStates(tx, seen) == Said.BLOCKED) {
      return Said.BLOCKED;
    }
    for (long id : seen) {
      State state = pg.state.read(tx, id);
      if (state != null) {
        states.put((int) id, state);
      }
    }
    return Said.DONE;
  }

  private Said readEnded(Tx tx) {
    for (int job : lost.keySet()) {
      if (pg.outcome.read(tx, job) != null) {
        ended.add(job);
      }
    }
    return Said.DONE;
  }

  private boolean current(int job, int token) {
    State state = states.get(job);
    if (world.has(Bug.REAPER_WITHOUT_TOKEN)) {
      return true;
    }
    return state == null
        ? token == 1 && phase == Phase.RUNNABLE
        : state.token() == token && state.phase() == phase;
  }

  private Said bump(Tx tx) {
    for (Map.Entry<Integer, Integer> each : lost.entrySet()) {
      int job = each.getKey();
      if (done.contains(job) || ended.contains(job) || !current(job, each.getValue())) {
        continue;
      }
      State state = states.get(job);
      int attempt = state == null ? 1 : state.attempt();
      int crashes = (state == null ? 0 : state.crashes()) + 1;
      boolean poison = crashes > CRASHES_MAX;
      State next =
          State.resting(
              poison ? Phase.DEAD : Phase.RUNNABLE,
              Pg.token(state) + 1,
              attempt,
              crashes,
              Rows.NEVER);
      if (state == null) {
        if (pg.state.insert(tx, job, next) == Table.Insert.BLOCKED) {
          return Said.BLOCKED;
        }
      } else {
        pg.state.write(tx, job, next);
      }
      done.add(job);
      world.checks.count("rescued");
      if (poison) {
        pg.deadLetter.insert(tx, job, true);
      } else {
        again.add(job);
      }
    }
    return Said.DONE;
  }

  /** What may have killed its worker travels alone. */
  private Said dispatch(Tx tx) {
    for (int job : again) {
      pg.insertWaiting(tx, new int[] {job}, new int[] {Pg.token(pg.state.read(tx, job))});
    }
    return Said.DONE;
  }
}
