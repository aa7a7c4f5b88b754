package dev.millpond.engine.simulation;

import dev.millpond.engine.simulation.BatchRun.Attempt;
import dev.millpond.engine.simulation.BatchRun.Life;
import dev.millpond.engine.simulation.BatchRun.Stop;
import dev.millpond.engine.simulation.Rows.Phase;
import dev.millpond.engine.simulation.Rows.State;
import dev.millpond.engine.simulation.Table.Mode;
import dev.millpond.engine.simulation.Work.Answer;
import dev.millpond.engine.simulation.Work.Said;
import java.util.ArrayDeque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Runs what was lost with its process alone, as the engine's class of this name (ADR 25). */
final class Quarantine extends Task {
  private enum At {
    NEXT,
    TRACKING,
    EMPTYING,
    /** Waits for the answer of a note. */
    NOTING,
    ALONE,
    TAKING_BACK,
    RESTING
  }

  private static final long TRACKED_WITHIN = 30_000;
  private static final int LOSSES_LONGEST = 5;
  private static final long LONGEST = 20_000;
  private static final int SHARES = 20;

  private final Worker worker;
  private final World world;
  private final ArrayDeque<BatchRun> waiting = new ArrayDeque<>();
  private At at = At.NEXT;
  private @Nullable BatchRun run;
  private List<Attempt> held = List.of();
  private long patience;
  private long until;
  private long began;
  private int noted;
  private Runnable then = this::rest;

  Quarantine(Worker worker) {
    super(worker.node);
    this.worker = worker;
    this.world = worker.world;
  }

  void add(BatchRun suspects) {
    waiting.add(suspects);
  }

  int size() {
    return waiting.size();
  }

  List<BatchRun> clear() {
    List<BatchRun> all = List.copyOf(waiting);
    waiting.clear();
    return all;
  }

  @Override
  void step() {
    readyAt = world.now + 1 + world.random.nextInt(3);
    switch (at) {
      case NEXT -> next();
      case TRACKING -> track();
      case EMPTYING -> empty();
      case NOTING -> {}
      case ALONE -> alone();
      case TAKING_BACK -> takeBack();
      case RESTING -> {
        if (world.now >= until || worker.ready() == 0 || worker.draining) {
          at = At.NEXT;
        }
      }
    }
  }

  private void next() {
    BatchRun suspects = waiting.poll();
    if (suspects == null) {
      readyAt = world.now + 5;
      return;
    }
    patience = patience(suspects.losses());
    held = suspects.hold();
    if (!held.isEmpty()) {
      run = suspects;
      began = world.now;
      noted = worker.node.session;
      until = world.now + TRACKED_WITHIN;
      at = At.TRACKING;
      suspects.dissolve();
    }
  }

  /** A settle time, shared with those that wait; four times longer after each further loss. */
  private long patience(int losses) {
    if (losses >= LOSSES_LONGEST) {
      return LONGEST;
    }
    long share = World.SETTLE / Math.min(SHARES, 1 + size());
    return Math.min(LONGEST, share << (2 * (losses - 1)));
  }

  private void track() {
    BatchRun suspects = run;
    if (suspects != null && suspects.isDissolved()) {
      began = world.now;
      until = world.now + patience;
      worker.lanesPaused = true;
      at = At.EMPTYING;
    } else if (world.now >= until) {
      begin(false);
    }
  }

  private void empty() {
    if (worker.draining || (world.now >= until && !worker.idleNow())) {
      begin(false);
    } else if (worker.idleNow()) {
      at = At.NOTING;
      // From here on: should the process die before the answer, the note may stand all the same.
      held.forEach(attempt -> world.checks.runsAlone(attempt.job, worker.node));
      note(true, this::hear);
    }
  }

  private void hear(Answer answer) {
    if (answer == Answer.COMMITTED) {
      begin(true);
    } else if (world.has(Bug.NOTE_IN_DOUBT_IS_FORGOTTEN)) {
      begin(false);
    } else {
      takeBack(() -> begin(false));
    }
  }

  private void begin(boolean alone) {
    if (!alone) {
      worker.lanesPaused = false;
      if (worker.draining) {
        held.forEach(attempt -> attempt.stop(Stop.SHUTDOWN));
      }
    }
    held.forEach(attempt -> worker.beginHeld(attempt));
    if (alone) {
      world.checks.count("ran alone");
      until = world.now + patience;
      at = At.ALONE;
    } else {
      world.checks.count("suspects in company");
      rest();
    }
  }

  private boolean ended() {
    return held.stream().allMatch(attempt -> attempt.life == Life.ENDED);
  }

  private void alone() {
    if (ended() && world.has(Bug.LANES_GO_ON_BEFORE_THE_END_IS_WRITTEN)) {
      rest();
    } else if (ended() || world.now >= until) {
      takeBack(this::rest);
    }
  }

  private void takeBack(Runnable next) {
    then = next;
    at = At.TAKING_BACK;
  }

  /** Until it is taken back, or the session is over. */
  private void takeBack() {
    if (noted != worker.node.session) {
      then.run();
      return;
    }
    at = At.NOTING;
    note(
        false,
        answer -> {
          if (answer == Answer.COMMITTED) {
            then.run();
          } else {
            at = At.TAKING_BACK;
            readyAt = world.now + 100;
          }
        });
  }

  private void rest() {
    worker.lanesPaused = false;
    until = world.now + (world.now - began);
    at = At.RESTING;
    run = null;
  }

  private void note(boolean alone, java.util.function.Consumer<Answer> told) {
    int session = noted;
    List<Attempt> jobs = held;
    Work work =
        Work.interactive(world, worker.node, "note " + alone + " of s" + session, told)
            .then(tx -> {
              for (Attempt attempt : jobs) {
                if (!world.pg.state.lock(tx, attempt.job, Mode.NO_KEY_UPDATE)) {
                  return Said.BLOCKED;
                }
                State state = world.pg.state.read(tx, attempt.job);
                if (state != null
                    && state.token() == attempt.token
                    && state.session() == session
                    && state.phase() == Phase.RUNNING) {
                  world.pg.state.write(tx, attempt.job, state.noted(alone));
                }
              }
              return Said.DONE;
            });
    work.start();
  }
}
