package dev.millpond.engine.simulation;

import dev.millpond.engine.simulation.BatchRun.Attempt;
import dev.millpond.engine.simulation.BatchRun.Life;
import dev.millpond.engine.simulation.BatchRun.Stop;
import dev.millpond.engine.simulation.Rows.Beat;
import dev.millpond.engine.simulation.Rows.Phase;
import dev.millpond.engine.simulation.Rows.State;
import dev.millpond.engine.simulation.Table.Mode;
import dev.millpond.engine.simulation.Work.Answer;
import dev.millpond.engine.simulation.Work.Said;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Says that a session lives and that its tracked jobs do; fences itself without an answer (R9). */
final class Heartbeat extends Task {
  private final Worker worker;
  private final Node node;
  private final World world;
  private boolean busy;
  private boolean opened;
  private long lastBeat;
  private long nextBeat;
  private long nextNotices;

  Heartbeat(Worker worker) {
    super(worker.node);
    this.worker = worker;
    this.node = worker.node;
    this.world = worker.world;
    this.lastBeat = world.now;
    this.nextBeat = world.now;
  }

  @Override
  void step() {
    readyAt = world.now + 10;
    if (worker.closing) {
      over = true;
      return;
    }
    if (!busy) {
      if (!opened) {
        openSession();
      } else if (world.now >= nextBeat) {
        beat();
      } else if (world.now >= nextNotices) {
        nextNotices = world.now + World.SETTLE;
        readNotices();
      }
    }
    if (world.now - lastBeat > World.LEASE) {
      fence();
    }
  }

  private void openSession() {
    int session = node.session;
    opened = true;
    busy = true;
    Work.interactive(world, node, "open session", answer -> busy = false)
        .then(tx -> {
          world.pg.session.insert(tx, session, says());
          return Said.DONE;
        })
        .start();
  }

  private Beat says() {
    return new Beat(
        node.process, false, false, worker.draining, world.now, worker.kinds, node.read());
  }

  private void beat() {
    int session = node.session;
    long sent = world.now;
    nextBeat = sent + World.BEAT;
    busy = true;
    boolean[] alive = new boolean[1];
    Work.interactive(
            world,
            node,
            "beat of s" + session,
            answer -> {
              if (answer != Answer.COMMITTED) {
                nextBeat = world.now + World.BEAT / 4;
                busy = false;
              } else if (!alive[0]) {
                busy = false;
                fence();
              } else {
                lastBeat = sent;
                refresh(session);
              }
            })
        .then(tx -> {
          if (!world.pg.session.lock(tx, session, Mode.NO_KEY_UPDATE)) {
            return Said.BLOCKED;
          }
          Beat row = world.pg.session.read(tx, session);
          alive[0] = row != null && !row.fenced();
          if (alive[0]) {
            world.pg.session.write(tx, session, says());
          }
          return Said.DONE;
        })
        .start();
  }

  /** Refreshes the rows of what runs; waits for nobody's lock. */
  private void refresh(int session) {
    List<Attempt> signs =
        worker.tracked.stream().filter(attempt -> attempt.stop != Stop.LOST).toList();
    Set<Attempt> held = new HashSet<>();
    Set<Attempt> cancelled = new HashSet<>();
    Work.interactive(
            world,
            node,
            "refresh of s" + session,
            answer -> {
              busy = false;
              if (answer == Answer.COMMITTED) {
                signs.forEach(attempt -> heard(attempt, held, cancelled));
              }
            })
        .then(tx -> {
          for (Attempt attempt : signs) {
            if (world.pg.state.lock(tx, attempt.job, Mode.UPDATE)
                && isHeld(world.pg.state.read(tx, attempt.job), attempt, session)) {
              State state = world.pg.state.read(tx, attempt.job);
              if (state != null) {
                long seen = world.has(Bug.RENEWAL_WITHOUT_SEEN_AT) ? state.seenAt() : world.now;
                world.pg.state.write(tx, attempt.job, state.seen(seen));
              }
            }
          }
          return Said.DONE;
        })
        .then(tx -> {
          for (Attempt attempt : signs) {
            State state = world.pg.state.read(tx, attempt.job);
            if (isHeld(state, attempt, session)) {
              held.add(attempt);
              if (state != null && state.cancelRequested()) {
                cancelled.add(attempt);
              }
            }
          }
          return Said.DONE;
        })
        .start();
  }

  private static boolean isHeld(
      @org.jspecify.annotations.Nullable State state, Attempt attempt, int session) {
    return state != null
        && state.token() == attempt.token
        && state.session() == session
        && state.phase() == Phase.RUNNING;
  }

  private void heard(Attempt attempt, Set<Attempt> held, Set<Attempt> cancelled) {
    if (!held.contains(attempt)) {
      if (attempt.life == Life.STARTED && worker.tracked.contains(attempt)) {
        attempt.stop(Stop.LOST);
      }
    } else if (cancelled.contains(attempt)) {
      attempt.stop(Stop.CANCELLED);
    }
  }

  private void readNotices() {
    Set<Integer> news = new HashSet<>();
    for (long job : world.pg.notice.keys()) {
      Long at = world.pg.notice.committed(job);
      if (at != null && at > world.now - World.LEASE) {
        news.add((int) job);
      }
    }
    worker.runs.values().forEach(run -> run.attempts.forEach(a -> stopIf(a, news)));
    worker.tracked.forEach(attempt -> stopIf(attempt, news));
  }

  private static void stopIf(Attempt attempt, Set<Integer> news) {
    if (news.contains(attempt.job)) {
      attempt.stop(Stop.CANCELLED);
    }
  }

  /** Gives up all it runs and goes on as a new session. */
  private void fence() {
    world.trace.add(() -> node.name + " is fenced");
    world.checks.count("fenced");
    worker.loseAll();
    node.session = world.nextSession();
    lastBeat = world.now;
    opened = false;
  }
}
