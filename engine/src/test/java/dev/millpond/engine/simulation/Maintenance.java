package dev.millpond.engine.simulation;

import dev.millpond.engine.simulation.Rows.Job;
import dev.millpond.engine.simulation.Rows.Lease;
import dev.millpond.engine.simulation.Rows.Phase;
import dev.millpond.engine.simulation.Rows.State;
import dev.millpond.engine.simulation.Table.Mode;
import dev.millpond.engine.simulation.Work.Answer;
import dev.millpond.engine.simulation.Work.Said;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** The maintenance roles of a process, one transaction after the other, while it leads (R17). */
final class Maintenance extends Task {
  private static final long LEADER = 1;
  private static final int NONE = -1;

  /** Lane and kind. */
  private static final Comparator<List<Integer>> SORTS =
      Comparator.comparing((List<Integer> sort) -> sort.get(0)).thenComparing(sort -> sort.get(1));

  private final Node node;
  private final World world;
  private final Pg pg;
  private final ArrayDeque<Runnable> next = new ArrayDeque<>();
  private final Reaper reaper;
  private final Reconciler reconciler;
  private final Feeder feeder;
  private boolean waiting;
  private int epoch = NONE;

  Maintenance(Node node) {
    super(node);
    this.node = node;
    this.world = node.world;
    this.pg = world.pg;
    this.reaper = new Reaper(node, this);
    this.reconciler = new Reconciler(node, this);
    this.feeder = new Feeder(node, this);
  }

  /** What is done next, before all else. */
  void next(Runnable step) {
    next.addFirst(step);
  }

  @Override
  void step() {
    readyAt = world.now + 1 + world.latency();
    if (waiting) {
      return;
    }
    Runnable role = next.poll();
    if (role != null) {
      role.run();
    } else {
      readyAt = world.now + World.SCAN;
      hold();
    }
  }

  /** Takes or renews the lease; its number grows with each change of hands. */
  private void hold() {
    int[] held = {NONE};
    int me = node.session;
    send(
            "hold",
            answer -> {
              epoch = answer == Answer.COMMITTED ? held[0] : NONE;
              if (epoch != NONE) {
                readyAt = world.now;
                next.add(this::promote);
                next.add(() -> reaper.look(epoch));
                next.add(reconciler::look);
                next.add(feeder::look);
                next.add(this::tidy);
              }
            })
        .then(tx -> {
          if (!pg.leader.lock(tx, LEADER, Mode.NO_KEY_UPDATE)) {
            return Said.BLOCKED;
          }
          Lease lease = pg.leader.read(tx, LEADER);
          if (lease == null) {
            Lease first = new Lease(1, me, world.now + World.LEASE);
            if (pg.leader.insert(tx, LEADER, first) != Table.Insert.DONE) {
              return Said.BLOCKED;
            }
            held[0] = 1;
          } else if (lease.holder() == me || lease.expiresAt() < world.now) {
            held[0] = lease.epoch() + (lease.holder() == me ? 0 : 1);
            pg.leader.write(tx, LEADER, new Lease(held[0], me, world.now + World.LEASE));
          }
          return Said.DONE;
        });
  }

  private Work send(String name, Consumer<Answer> told) {
    waiting = true;
    return Work.interactive(
            world,
            node,
            name + " by " + node.name,
            answer -> {
              waiting = false;
              told.accept(answer);
            })
        .start();
  }

  /** R17: each transaction of a leader begins by holding its row at its epoch. */
  Work lead(String name, Consumer<Answer> told) {
    int mine = epoch;
    return send(
            name,
            answer -> {
              if (answer == Answer.ROLLED_BACK) {
                epoch = NONE;
                next.clear();
              }
              told.accept(answer);
            })
        .then(tx -> {
          if (!pg.leader.lock(tx, LEADER, Mode.SHARE)) {
            return Said.BLOCKED;
          }
          Lease lease = pg.leader.read(tx, LEADER);
          return lease != null && lease.epoch() == mine ? Said.DONE : Said.ROLL_BACK;
        });
  }

  static void nothing(Answer answer) {}

  /** R8: no bump, for nobody else can hold them; outcomes are looked at in the next statement. */
  private void promote() {
    Map<Integer, State> due = new HashMap<>();
    lead("promote", Maintenance::nothing)
        .then(tx -> {
          for (long id : pg.state.keys()) {
            State state = pg.state.committed(id);
            if (state != null
                && state.phase() == Phase.SCHEDULED
                && state.runAt() <= world.now
                && pg.state.lock(tx, id, Mode.NO_KEY_UPDATE)) {
              due.put((int) id, state);
              pg.state.write(
                  tx,
                  id,
                  State.resting(
                      Phase.RUNNABLE, state.token(), state.attempt(), state.past(), Rows.NEVER));
            }
          }
          return Said.DONE;
        })
        .then(tx -> {
          List<Integer> jobs = new ArrayList<>();
          for (int job : new TreeSet<>(due.keySet())) {
            if (pg.outcome.read(tx, job) != null) {
              pg.state.write(tx, job, null);
            } else {
              jobs.add(job);
            }
          }
          Map<List<Integer>, List<Integer>> together = new TreeMap<>(SORTS);
          for (int job : jobs) {
            Job row = pg.job(tx, job);
            List<Integer> sort = List.of(row.lane(), row.kind());
            together.computeIfAbsent(sort, l -> new ArrayList<>()).add(job);
          }
          together.values().forEach(some -> insert(tx, some, due));
          return Said.DONE;
        });
  }

  private void insert(Tx tx, List<Integer> jobs, Map<Integer, State> states) {
    for (int from = 0; from < jobs.size(); from += 3) {
      List<Integer> part = jobs.subList(from, Math.min(from + 3, jobs.size()));
      pg.insertWaiting(
          tx,
          node,
          part.stream().mapToInt(j -> j).toArray(),
          part.stream().mapToInt(j -> token(states, j)).toArray());
    }
  }

  private static int token(Map<Integer, State> states, int job) {
    return Pg.token(states.get(job));
  }

  /** State rows of ended jobs, which nobody needs. */
  private void tidy() {
    boolean some = false;
    for (long id : pg.state.keys()) {
      some |= isLeftOver(id);
    }
    if (!some) {
      return;
    }
    lead("tidy", Maintenance::nothing)
        .then(tx -> {
          for (long id : pg.state.keys()) {
            if (isLeftOver(id)) {
              if (!pg.state.lock(tx, id, Mode.UPDATE)) {
                return Said.BLOCKED;
              }
              if (pg.state.read(tx, id) != null) {
                pg.state.write(tx, id, null);
              }
            }
          }
          return Said.DONE;
        });
  }

  private boolean isLeftOver(long id) {
    @Nullable State state = pg.state.committed(id);
    return state != null
        && (state.phase() == Phase.RUNNABLE || state.phase() == Phase.SCHEDULED)
        && pg.outcome.committed(id) != null;
  }
}
