package dev.millpond.engine.simulation;

import dev.millpond.engine.simulation.Redis.Left;
import dev.millpond.engine.simulation.Redis.Refused;
import dev.millpond.engine.simulation.Rows.Beat;
import dev.millpond.engine.simulation.Rows.Dispatch;
import dev.millpond.engine.simulation.Rows.Outcome;
import dev.millpond.engine.simulation.Rows.Phase;
import dev.millpond.engine.simulation.Rows.State;
import dev.millpond.engine.simulation.Table.Mode;
import dev.millpond.engine.simulation.Work.Answer;
import dev.millpond.engine.simulation.Work.Said;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** R9 and ADR 25, as the engine's class of this name: fences, and rescues what was held. */
final class Reaper {
  private final Node node;
  private final World world;
  private final Pg pg;
  private final Maintenance roles;
  private long graceUntil;
  private long lastLook;
  private int lastEpoch;
  private int lastFenced;
  private boolean sawMostSilent;
  private boolean mostMissing;
  private boolean mostMissingBefore;
  private long nextClaimScan;

  Reaper(Node node, Maintenance roles) {
    this.node = node;
    this.world = node.world;
    this.pg = world.pg;
    this.roles = roles;
  }

  /** Beats may have been missed that were no worker's fault: then nothing for a lease. */
  void look(int epoch) {
    mostMissingBefore = mostMissing;
    mostMissing = false;
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
    int fenced = 0;
    for (long id : pg.session.keys()) {
      Beat beat = pg.session.committed(id);
      if (beat != null && beat.fenced()) {
        fenced++;
      } else if (beat != null && isSilent(beat)) {
        silent++;
      } else {
        live++;
      }
    }
    boolean most = silent > live;
    boolean fences = silent > 0 && (!most || sawMostSilent);
    sawMostSilent = most && !sawMostSilent;
    boolean news = fenced > lastFenced;
    lastFenced = fenced + (fences ? silent : 0);
    for (Link link : node.links.values()) {
      roles.next(() -> reapIdle(link));
    }
    roles.next(this::reapRunning);
    if (fences || news || world.now >= nextClaimScan) {
      nextClaimScan = world.now + World.LEASE;
      roles.next(this::reapClaimed);
    }
    if (fences) {
      roles.next(this::fence);
    }
  }

  private boolean isSilent(Beat beat) {
    return beat.at() < world.now - World.LEASE;
  }

  private void fence() {
    roles
        .lead("fence", Maintenance::nothing)
        .then(tx -> {
          for (long id : pg.session.keys()) {
            Beat beat = pg.session.committed(id);
            if (beat != null && !beat.fenced() && isSilent(beat)) {
              if (!pg.session.lock(tx, id, Mode.NO_KEY_UPDATE)) {
                return Said.BLOCKED;
              }
              Beat now = pg.session.read(tx, id);
              if (now != null && !now.fenced() && isSilent(now)) {
                pg.session.write(tx, id, now.lost(false));
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

  /** The process of a fenced session, if no other session of it lives. */
  private int lostProcess(int session) {
    Beat beat = pg.session.committed(session);
    if (beat == null || !beat.fenced()) {
      return Rescue.NO_PROCESS;
    }
    for (long id : pg.session.keys()) {
      Beat other = pg.session.committed(id);
      if (other != null && other.process() == beat.process() && !other.fenced()) {
        return Rescue.NO_PROCESS;
      }
    }
    return beat.process();
  }

  /** Claims of lost sessions, and what a live one has mislaid. */
  private void reapClaimed() {
    Map<Long, Integer> taken = new HashMap<>();
    Rescue rescue = new Rescue(node, Phase.RUNNABLE);
    Work work = roles.lead("rescue of claims", Maintenance::nothing);
    work.then(tx -> {
      for (long id : pg.dispatch.keys()) {
        Dispatch row = pg.dispatch.committed(id);
        if (row != null
            && row.claimedBy() != Rows.NOBODY
            && (row.claimedAt() < world.now - World.LEASE - 2 * World.SETTLE
                || isLost(row.claimedBy()))
            && pg.dispatch.lock(tx, id, Mode.UPDATE)) {
          taken.put(id, lostProcess(row.claimedBy()));
        }
      }
      return Said.DONE;
    });
    work.then(tx -> rescue.consume(tx, taken));
    rescue.addTo(work);
  }

  /** Running jobs of lost sessions, and those that were not seen for too long. */
  private void reapRunning() {
    Rescue rescue = new Rescue(node, Phase.RUNNING);
    List<Long> toCancel = new ArrayList<>();
    Work work = roles.lead("rescue of running", Maintenance::nothing);
    work.then(tx -> {
      for (long id : pg.state.keys()) {
        State state = pg.state.committed(id);
        if (state != null
            && state.phase() == Phase.RUNNING
            && (state.seenAt() < world.now - World.VISIBILITY
                || (isLost(state.session()) && !waitsForVerdict(state)))
            && pg.state.lock(tx, id, Mode.UPDATE)) {
          if (state.cancelRequested()) {
            toCancel.add(id);
          } else {
            rescue.lost((int) id, state.token(), lostProcess(state.session()), state.alone());
          }
        }
      }
      return Said.DONE;
    });
    work.then(tx -> cancel(tx, toCancel));
    rescue.addTo(work);
  }

  /** One that was lost alone before waits until it is known what became of its process. */
  private boolean waitsForVerdict(State state) {
    Beat beat = pg.session.committed(state.session());
    return state.alone()
        && (state.past().crashes() > 0 || !state.past().aloneIn().isEmpty())
        && beat != null
        && !beat.died()
        && beat.at() >= world.now - 2 * World.LEASE;
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

  /**
   * Entries that were delivered and left for 2 S. One whose process has beaten since is taken from
   * it, one whose process has missed a beat was lost with it; in between it is left for longer.
   */
  private void reapIdle(Link link) {
    List<Left> left;
    try {
      left = link.call(() -> link.redis.idle(2 * World.SETTLE, 10));
    } catch (Refused e) {
      return;
    }
    if (left.isEmpty()) {
      return;
    }
    Map<Long, Integer> taken = new HashMap<>();
    List<Left> decided = decide(left, taken);
    if (decided.isEmpty()) {
      return;
    }
    Rescue rescue = new Rescue(node, Phase.RUNNABLE);
    Work work =
        roles.lead(
            "rescue of entries",
            answer -> {
              if (answer == Answer.COMMITTED) {
                decided.forEach(one -> node.remove(one.entry()));
              }
            });
    work.then(tx -> rescue.consume(tx, taken));
    rescue.addTo(work);
  }

  private List<Left> decide(List<Left> left, Map<Long, Integer> taken) {
    Fates fates = Fates.read(world);
    long late = World.BEAT + 2 * World.SETTLE;
    boolean most = fates.mostSilentFor(late);
    mostMissing |= most;
    boolean trust = !most || mostMissingBefore;
    List<Left> decided = new ArrayList<>();
    for (Left one : left) {
      int process = one.consumer();
      long id = one.entry().batch().id();
      if (!fates.knows(process) || fates.heardWithin(process, one.idle() - World.SETTLE)) {
        taken.putIfAbsent(id, Rescue.NO_PROCESS);
        decided.add(one);
      } else if (fates.lost(process) || (trust && !fates.heardWithin(process, late))) {
        taken.put(id, process);
        decided.add(one);
      }
    }
    return decided;
  }
}
