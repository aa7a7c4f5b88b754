package dev.millpond.engine.simulation;

import dev.millpond.engine.simulation.Redis.Entry;
import dev.millpond.engine.simulation.Redis.Refused;
import dev.millpond.engine.simulation.Rows.Batch;
import dev.millpond.engine.simulation.Rows.Beat;
import dev.millpond.engine.simulation.Rows.Dispatch;
import dev.millpond.engine.simulation.Rows.Lease;
import dev.millpond.engine.simulation.Rows.Outcome;
import dev.millpond.engine.simulation.Rows.Phase;
import dev.millpond.engine.simulation.Rows.State;
import dev.millpond.engine.simulation.Table.Mode;
import dev.millpond.engine.simulation.Work.Answer;
import dev.millpond.engine.simulation.Work.Said;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** The maintenance roles of a process, one transaction after the other, while it leads (R17). */
final class Maintenance extends Task {
  private static final long LEADER = 1;
  private static final int NONE = -1;

  private final Node node;
  private final World world;
  private final Pg pg;
  private final ArrayDeque<Runnable> next = new ArrayDeque<>();
  private final Map<Integer, Long> sightings = new HashMap<>();
  private boolean waiting;
  private int epoch = NONE;
  private long graceUntil;
  private long lastLook;
  private int lastEpoch = NONE;
  private boolean sawMostSilent;
  private long nextClaimScan;

  Maintenance(Node node) {
    super(node);
    this.node = node;
    this.world = node.world;
    this.pg = world.pg;
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
                next.add(this::reap);
                next.add(this::reconcile);
                next.add(this::feed);
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
  private Work lead(String name, Consumer<Answer> told) {
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

  private static void nothing(Answer answer) {}

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
                      Phase.RUNNABLE, state.token(), state.attempt(), state.crashes(), Rows.NEVER));
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
          for (int from = 0; from < jobs.size(); from += 3) {
            List<Integer> part = jobs.subList(from, Math.min(from + 3, jobs.size()));
            pg.insertWaiting(
                tx,
                part.stream().mapToInt(j -> j).toArray(),
                part.stream().mapToInt(j -> token(due, j)).toArray());
          }
          return Said.DONE;
        });
  }

  private static int token(Map<Integer, State> states, int job) {
    return Pg.token(states.get(job));
  }

  /** R9. Beats may have been missed that were no worker's fault: then nothing for a lease. */
  private void reap() {
    if (lastEpoch == epoch && world.now - lastLook > World.LEASE / 2) {
      graceUntil = world.now + World.LEASE;
    }
    lastLook = world.now;
    lastEpoch = epoch;
    if (world.now < graceUntil || world.now - pg.startedAt < World.LEASE) {
      return;
    }
    int live = 0;
    int silent = 0;
    for (long id : pg.session.keys()) {
      Beat beat = pg.session.committed(id);
      if (beat != null && !beat.fenced()) {
        if (isSilent(beat)) {
          silent++;
        } else {
          live++;
        }
      }
    }
    boolean most = silent > live;
    boolean fences = silent > 0 && (!most || sawMostSilent);
    sawMostSilent = most && !sawMostSilent;
    next.addFirst(this::reapIdle);
    next.addFirst(this::reapRunning);
    if (fences || world.now >= nextClaimScan) {
      nextClaimScan = world.now + World.LEASE;
      next.addFirst(this::reapClaimed);
    }
    if (fences) {
      next.addFirst(this::fence);
    }
  }

  private boolean isSilent(Beat beat) {
    return beat.at() < world.now - World.LEASE;
  }

  private void fence() {
    lead("fence", Maintenance::nothing)
        .then(tx -> {
          for (long id : pg.session.keys()) {
            Beat beat = pg.session.committed(id);
            if (beat != null && !beat.fenced() && isSilent(beat)) {
              if (!pg.session.lock(tx, id, Mode.NO_KEY_UPDATE)) {
                return Said.BLOCKED;
              }
              Beat now = pg.session.read(tx, id);
              if (now != null && !now.fenced() && isSilent(now)) {
                pg.session.write(tx, id, new Beat(true, now.at()));
              }
            }
          }
          return Said.DONE;
        });
  }

  private boolean isLost(int session) {
    Beat beat = pg.session.committed(session);
    return beat == null || beat.fenced();
  }

  /** Claims of lost sessions, and what a live one has mislaid. */
  private void reapClaimed() {
    List<Long> ids = new ArrayList<>();
    Rescue rescue = new Rescue(world, Phase.RUNNABLE);
    Work work = lead("rescue of claims", Maintenance::nothing);
    work.then(tx -> {
      for (long id : pg.dispatch.keys()) {
        Dispatch row = pg.dispatch.committed(id);
        if (row != null
            && row.claimedBy() != Rows.NOBODY
            && (row.claimedAt() < world.now - World.LEASE - 2 * World.SETTLE
                || isLost(row.claimedBy()))
            && pg.dispatch.lock(tx, id, Mode.UPDATE)) {
          ids.add(id);
        }
      }
      return Said.DONE;
    });
    work.then(tx -> rescue.consume(tx, ids));
    rescue.addTo(work);
  }

  /** Running jobs of lost sessions, and those that were not seen for too long. */
  private void reapRunning() {
    Rescue rescue = new Rescue(world, Phase.RUNNING);
    List<Long> toCancel = new ArrayList<>();
    Work work = lead("rescue of running", Maintenance::nothing);
    work.then(tx -> {
      for (long id : pg.state.keys()) {
        State state = pg.state.committed(id);
        if (state != null
            && state.phase() == Phase.RUNNING
            && (state.seenAt() < world.now - World.VISIBILITY || isLost(state.session()))
            && pg.state.lock(tx, id, Mode.UPDATE)) {
          if (state.cancelRequested()) {
            toCancel.add(id);
          } else {
            rescue.lost((int) id, state.token());
          }
        }
      }
      return Said.DONE;
    });
    work.then(tx -> cancel(tx, toCancel));
    rescue.addTo(work);
  }

  private Said cancel(Tx tx, List<Long> ids) {
    for (long id : ids) {
      State state = pg.state.read(tx, id);
      if (state != null) {
        Outcome outcome = new Outcome(false, state.token(), state.session());
        if (pg.outcome.insert(tx, id, outcome) == Table.Insert.BLOCKED) {
          return Said.BLOCKED;
        }
        pg.state.write(tx, id, null);
      }
    }
    return Said.DONE;
  }

  /** Entries that were delivered and left for 2 S, even if their worker lives. */
  private void reapIdle() {
    List<Entry> left;
    try {
      left = world.redis.idle(2 * World.SETTLE, 10);
    } catch (Refused e) {
      return;
    }
    if (left.isEmpty()) {
      return;
    }
    List<Long> ids = left.stream().map(entry -> (long) entry.batch().id()).toList();
    Rescue rescue = new Rescue(world, Phase.RUNNABLE);
    Work work =
        lead(
            "rescue of entries",
            answer -> {
              if (answer == Answer.COMMITTED) {
                left.forEach(node.sender::remove);
              }
            });
    work.then(tx -> rescue.consume(tx, ids));
    rescue.addTo(work);
  }

  /** R12: PostgreSQL first, then the stream; two sightings S apart. */
  private void reconcile() {
    if (world.has(Bug.NO_RECONCILER)) {
      return;
    }
    List<Integer> candidates = new ArrayList<>();
    for (long id : pg.dispatch.keys()) {
      Dispatch row = pg.dispatch.committed(id);
      if (row != null
          && row.sentAt() != Rows.NEVER
          && row.sentAt() < world.now - World.SETTLE
          && row.claimedBy() == Rows.NOBODY) {
        candidates.add((int) id);
      }
    }
    next.addFirst(() -> compare(candidates));
  }

  private void compare(List<Integer> candidates) {
    Set<Integer> present;
    try {
      present = world.redis.present();
    } catch (Refused e) {
      present = Set.of();
    }
    Set<Integer> there = present;
    List<Integer> missing = candidates.stream().filter(id -> !there.contains(id)).toList();
    sightings.keySet().retainAll(missing);
    List<Long> twice = new ArrayList<>();
    for (int id : missing) {
      Long first = sightings.putIfAbsent(id, world.now);
      if (first != null && world.now - first >= World.SETTLE) {
        twice.add((long) id);
        sightings.remove(id);
      }
    }
    if (!twice.isEmpty()) {
      Rescue rescue = new Rescue(world, Phase.RUNNABLE);
      Work work = lead("reconcile", Maintenance::nothing);
      work.then(tx -> rescue.consume(tx, twice));
      rescue.addTo(work);
    }
  }

  /** R11: marks waiting rows as sent, commits, then adds them. */
  private void feed() {
    if (!world.scenario.streams() || !world.redis.up) {
      return;
    }
    List<Batch> batches = new ArrayList<>();
    lead(
            "feed",
            answer -> {
              if (answer == Answer.COMMITTED) {
                batches.forEach(batch -> next.addFirst(() -> add(batch)));
              }
            })
        .then(tx -> {
          for (long id : pg.dispatch.keys()) {
            Dispatch row = pg.dispatch.committed(id);
            if (row != null
                && row.waits()
                && batches.size() < 6
                && pg.dispatch.lock(tx, id, Mode.NO_KEY_UPDATE)) {
              pg.dispatch.write(tx, id, row.sent(world.now));
              batches.add(row.batch());
            }
          }
          return Said.DONE;
        });
  }

  private void add(Batch batch) {
    try {
      world.redis.add(batch);
    } catch (Refused e) {
      world.checks.count("dropped"); // marked as sent and not there: the reconciler finds it
    }
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
