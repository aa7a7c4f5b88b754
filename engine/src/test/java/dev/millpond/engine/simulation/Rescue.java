package dev.millpond.engine.simulation;

import dev.millpond.engine.simulation.Rows.Batch;
import dev.millpond.engine.simulation.Rows.Dispatch;
import dev.millpond.engine.simulation.Rows.Job;
import dev.millpond.engine.simulation.Rows.Past;
import dev.millpond.engine.simulation.Rows.Phase;
import dev.millpond.engine.simulation.Rows.State;
import dev.millpond.engine.simulation.Table.Mode;
import dev.millpond.engine.simulation.Work.Said;
import java.util.ArrayList;
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
  /** Where no process was lost. */
  static final int NO_PROCESS = 0;

  private static final int CRASHES_ALONE = 2;
  private static final int LOSSES_MAX = 20;

  /** Rescued jobs that are no suspects travel together, so many. */
  private static final int SPLIT = 3;

  /**
   * A job whose holder is locked.
   *
   * @param token that its holder named
   * @param process that is lost with it; none for one that lives or has come back
   * @param alone whether nothing else ran in it
   */
  private record Lost(int token, int process, boolean alone) {}

  private final World world;
  private final Node node;
  private final Pg pg;
  private final Phase phase;

  private final boolean direct;
  private final Map<Integer, Lost> lost = new LinkedHashMap<>();

  private final Map<Integer, State> states = new LinkedHashMap<>();
  private final Set<Integer> ended = new HashSet<>();
  private final Set<Integer> done = new HashSet<>();
  private final List<Integer> again = new ArrayList<>();
  private @Nullable List<Long> toLock;

  /**
   * @param node that rescues them
   * @param phase of their state rows; in another one somebody has moved them on
   */
  Rescue(Node node, Phase phase) {
    this(node, phase, false);
  }

  /**
   * The same.
   *
   * @param direct whether the new rows are meant for no stream
   */
  Rescue(Node node, Phase phase, boolean direct) {
    this.direct = direct;
    this.world = node.world;
    this.node = node;
    this.pg = world.pg;
    this.phase = phase;
  }

  /** A job whose holder is locked. */
  void lost(int job, int token, int process, boolean alone) {
    lost.put(job, new Lost(token, process, alone));
  }

  /**
   * Deletes dispatch rows: what they name is lost.
   *
   * @param rows each with the lost process that held it, or none
   */
  Said consume(Tx tx, Map<Long, Integer> rows) {
    for (long id : new TreeSet<>(rows.keySet())) {
      if (!pg.dispatch.lock(tx, id, Mode.UPDATE)) {
        return Said.BLOCKED;
      }
      Dispatch row = pg.dispatch.read(tx, id);
      if (row != null) {
        pg.dispatch.write(tx, id, null);
        Batch batch = row.batch();
        for (int i = 0; i < batch.jobs().length; i++) {
          lost(batch.jobs()[i], batch.tokens()[i], rows.getOrDefault(id, NO_PROCESS), false);
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

  /** What becomes of a job; see RescueStore. */
  private record Next(Past past, int counted, boolean charged) {
    boolean poison() {
      return counted >= CRASHES_ALONE || past.losses() >= LOSSES_MAX;
    }
  }

  private Next next(Lost one, Past past, Fates fates) {
    int process = one.process();
    if (process == NO_PROCESS) {
      return new Next(past, 0, false);
    }
    int crashes = past.crashes();
    List<Integer> aloneIn = past.aloneIn();
    int counted = 0;
    boolean charged = one.alone() || world.has(Bug.COMPANY_IS_CHARGED);
    if (charged) {
      charged = fates.died(process) && !aloneIn.contains(process);
      if (charged) {
        crashes++;
      } else {
        aloneIn = new ArrayList<>(aloneIn);
        aloneIn.add(process);
      }
      boolean each = world.has(Bug.PROCESS_COUNTS_TWICE);
      counted = crashes + (each ? aloneIn.size() : gone(aloneIn, fates));
    }
    return new Next(new Past(past.losses() + 1, crashes, List.copyOf(aloneIn)), counted, charged);
  }

  private static int gone(List<Integer> processes, Fates fates) {
    return (int) processes.stream().distinct().filter(fates::gone).count();
  }

  private Said bump(Tx tx) {
    Fates fates = Fates.read(world);
    for (Map.Entry<Integer, Lost> each : lost.entrySet()) {
      int job = each.getKey();
      if (done.contains(job) || ended.contains(job) || !current(job, each.getValue().token())) {
        continue;
      }
      State state = states.get(job);
      Next next = next(each.getValue(), state == null ? Past.NONE : state.past(), fates);
      State resting =
          State.resting(
              next.poison() ? Phase.DEAD : Phase.RUNNABLE,
              Pg.token(state) + 1,
              state == null ? 1 : state.attempt(),
              next.past(),
              Rows.NEVER);
      if (state == null) {
        if (pg.state.insert(tx, job, resting) == Table.Insert.BLOCKED) {
          return Said.BLOCKED;
        }
      } else {
        pg.state.write(tx, job, resting);
      }
      done.add(job);
      if (next.charged()) {
        world.checks.charged(job, each.getValue().process());
      }
      world.checks.rescued(job);
      if (next.poison()) {
        pg.deadLetter.insert(tx, job, true);
        world.checks.poison(job, next.past().losses() >= LOSSES_MAX);
      } else {
        again.add(job);
      }
    }
    return Said.DONE;
  }

  /** Suspects travel alone, all else in small batches. */
  private Said dispatch(Tx tx) {
    Map<List<Integer>, List<Integer>> together = new LinkedHashMap<>();
    for (int job : again) {
      State state = pg.state.read(tx, job);
      if (state != null && state.past().losses() > 0) {
        insert(tx, List.of(job));
      } else {
        Job row = pg.job(tx, job);
        List<Integer> sort = List.of(row.lane(), row.kind());
        together.computeIfAbsent(sort, s -> new ArrayList<>()).add(job);
      }
    }
    for (List<Integer> jobs : together.values()) {
      for (int from = 0; from < jobs.size(); from += SPLIT) {
        insert(tx, jobs.subList(from, Math.min(from + SPLIT, jobs.size())));
      }
    }
    return Said.DONE;
  }

  private void insert(Tx tx, List<Integer> jobs) {
    pg.insertWaiting(
        tx,
        node,
        jobs.stream().mapToInt(job -> job).toArray(),
        jobs.stream().mapToInt(job -> Pg.token(pg.state.read(tx, job))).toArray(),
        direct);
  }
}
