package dev.millpond.engine.simulation;

import dev.millpond.engine.simulation.Keyed.Item;
import dev.millpond.engine.simulation.Rows.Batch;
import dev.millpond.engine.simulation.Rows.Dispatch;
import dev.millpond.engine.simulation.Rows.Job;
import dev.millpond.engine.simulation.Rows.Outcome;
import dev.millpond.engine.simulation.Rows.Past;
import dev.millpond.engine.simulation.Rows.Phase;
import dev.millpond.engine.simulation.Rows.State;
import dev.millpond.engine.simulation.Table.Mode;
import dev.millpond.engine.simulation.Work.Answer;
import dev.millpond.engine.simulation.Work.Said;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** People: submit jobs, cancel, redrive and change them, through any process (R10, R13). */
final class Users extends Task {
  private static final int LOOKS_MAX = 10;

  /** Idempotency keys in use: so few that they meet. */
  private static final int KEYS = 12;

  private final World world;
  private final Pg pg;
  private int jobs;

  Users(World world) {
    super(null);
    this.world = world;
    this.pg = world.pg;
  }

  @Override
  void step() {
    if (world.now >= world.scenario.faultsUntil()) {
      over = true;
      return;
    }
    readyAt = world.now + 1 + world.random.nextInt(world.scenario.pace());
    Node through = world.nodes.get(world.random.nextInt(world.nodes.size()));
    if (through.leads || !through.alive) {
      return;
    }
    if (jobs < world.scenario.jobs()) {
      submit(through);
    }
    if (world.scenario.keys()) {
      keyed();
    }
    if (world.scenario.users() && jobs > 0) {
      int job = 1 + world.random.nextInt(jobs);
      switch (world.random.nextInt(4)) {
        case 0 -> new Cancel(through, job).send();
        case 1 -> redrive(through, job);
        case 2 -> new RunNow(through, job).send();
        default -> readyAt = world.now + 1;
      }
    }
  }

  private void submit(Node through) {
    List<Job> asked = new ArrayList<>();
    int count = 1 + world.random.nextInt(5);
    for (int i = 0; i < count; i++) {
      asked.add(newJob(0));
    }
    through.hot.put(
        new HotLane.Piece.Submit(
            asked,
            accepted -> {
              for (Job job : asked) {
                if (accepted) {
                  world.checks.accepted(job.id());
                } else {
                  world.checks.refused(job.id());
                }
              }
            }));
  }

  private Job newJob(int key) {
    int lane = world.random.nextInt(world.scenario.lanes());
    int kind = world.random.nextInt(world.scenario.kinds());
    return new Job(++jobs, lane, kind, key, world.random.nextInt(8) == 0);
  }

  /** R20: under one or two keys, perhaps through two processes at once, as callers repeat. */
  private void keyed() {
    int first = 1 + world.random.nextInt(KEYS);
    List<Integer> keys = new ArrayList<>(List.of(first));
    if (world.random.nextInt(3) == 0) {
      keys.add(1 + first % KEYS);
    }
    int body = world.random.nextInt(8) == 0 ? 1 : 0;
    for (int i = world.random.nextInt(3); i >= 0; i--) {
      Node through = world.nodes.get(world.random.nextInt(world.nodes.size()));
      if (through.leads || !through.alive) {
        continue;
      }
      List<Item> items = keys.stream().map(key -> new Item(newJob(key), key, body)).toList();
      Keyed submit = new Keyed(items, verdicts -> world.checks.keyed(items, verdicts));
      through.cold.put(new ColdLane.Piece.Submit(submit));
    }
  }

  /** R13: a dead job's new life. */
  private void redrive(Node through, int job) {
    if (pg.deadLetter.committed(job) == null) {
      return;
    }
    Work.interactive(world, through, "redrive of job " + job, answer -> {})
        .then(tx -> {
          if (!pg.state.lock(tx, job, Mode.NO_KEY_UPDATE)) {
            return Said.BLOCKED;
          }
          State state = pg.state.read(tx, job);
          if (state == null || state.phase() != Phase.DEAD) {
            return Said.ROLL_BACK;
          }
          State next = State.resting(Phase.RUNNABLE, state.token() + 1, 1, Past.NONE, Rows.NEVER);
          pg.state.write(tx, job, next);
          return Said.DONE;
        })
        .then(tx -> {
          if (!pg.deadLetter.lock(tx, job, Mode.UPDATE)) {
            return Said.BLOCKED;
          }
          if (pg.deadLetter.read(tx, job) != null) {
            pg.deadLetter.write(tx, job, null);
          }
          return Said.DONE;
        })
        .then(tx -> {
          int token = Pg.token(pg.state.read(tx, job));
          pg.insertWaiting(tx, through, new int[] {job}, new int[] {token});
          world.checks.redriven(job);
          return Said.DONE;
        })
        .start();
  }

  /** What steers one job: looks for its holder, and locks it before anything is read. */
  private abstract class Steering {
    final int job;
    final Node through;
    int at;
    int looks;
    @Nullable State state;
    @Nullable Dispatch row;

    /** The row that a statement's snapshot sees; it may have to be waited for. */
    @Nullable Long found;

    Steering(Node through, int job) {
      this.through = through;
      this.job = job;
    }

    abstract Said run(Tx tx);

    void send() {
      String name = getClass().getSimpleName() + " of job " + job;
      Work.interactive(world, through, name, answer -> told(answer)).then(this::run).start();
    }

    void told(Answer answer) {
      world.checks.count(getClass().getSimpleName() + " " + answer);
    }

    Said go(int to) {
      at = to;
      return Said.AGAIN;
    }

    Said again() {
      looks++;
      return looks == LOOKS_MAX ? Said.ROLL_BACK : go(0);
    }

    /** SELECT … FOR UPDATE of the state row that is there now; false when it blocks. */
    boolean lockState(Tx tx) {
      if (!pg.state.lock(tx, job, Mode.UPDATE)) {
        return false;
      }
      state = pg.state.read(tx, job);
      return true;
    }

    /** The same of the dispatch row that names the job at a token; false when it blocks. */
    boolean lockRow(Tx tx, int token, boolean waits) {
      Long id = found == null ? find(token) : found;
      found = id;
      row = null;
      if (id != null) {
        if (!pg.dispatch.lock(tx, id, Mode.UPDATE)) {
          if (waits) {
            return false;
          }
        } else {
          row = pg.dispatch.read(tx, id);
        }
      }
      found = null;
      return true;
    }

    @Nullable Long find(int token) {
      for (long id : pg.dispatch.keys()) {
        Dispatch there = pg.dispatch.committed(id);
        if (there != null && there.batch().names(job, token)) {
          return id;
        }
      }
      return null;
    }

    boolean isEnded(Tx tx) {
      return pg.outcome.read(tx, job) != null;
    }
  }

  /** R10: whoever inserts the outcome first has ended it; the holder is locked before. */
  private final class Cancel extends Steering {
    private boolean untaken;

    Cancel(Node through, int job) {
      super(through, job);
    }

    @Override
    void told(Answer answer) {
      super.told(answer);
      if (answer == Answer.COMMITTED && untaken) {
        world.checks.neverRuns(job);
      }
    }

    @Override
    Said run(Tx tx) {
      return switch (at) {
        case 0 -> pg.job.read(tx, job) == null || isEnded(tx) ? Said.ROLL_BACK : go(1);
        case 1 -> lockState(tx) ? go(state == null ? 2 : 4) : Said.BLOCKED;
        case 2 -> lockRow(tx, 1, true) ? go(row == null ? 4 : 3) : Said.BLOCKED;
        case 3 -> lockState(tx) ? go(4) : Said.BLOCKED;
        case 4 -> isEnded(tx) ? Said.ROLL_BACK : state == null && row == null ? again() : go(5);
        case 5 -> {
          untaken = isUntaken(tx);
          yield go(6);
        }
        case 6 -> write(tx, state);
        default -> {
          pg.notice.insert(tx, job, world.now);
          yield Said.DONE;
        }
      };
    }

    /** Whether nobody has the job, nor will before this commits. */
    private boolean isUntaken(Tx tx) {
      State held = state;
      if (held != null && held.phase() == Phase.RUNNABLE) {
        if (world.has(Bug.CANCEL_READS_THE_ROW_UNLOCKED)) {
          Long id = find(held.token());
          row = id == null ? null : pg.dispatch.read(tx, id);
        } else {
          // Not waited for: whoever has the batch's row waits for the state row, which we hold.
          lockRow(tx, held.token(), false);
        }
      }
      Dispatch there = row;
      return (held != null && held.phase() == Phase.SCHEDULED) || (there != null && there.waits());
    }

    private Said write(Tx tx, @Nullable State held) {
      Phase phase = held == null ? Phase.RUNNABLE : held.phase();
      switch (phase) {
        case DEAD -> {
          return Said.ROLL_BACK;
        }
        case RUNNING -> {
          if (held != null) {
            pg.state.write(tx, job, held.cancelling());
          }
          return go(7);
        }
        case RUNNABLE, SCHEDULED -> {
          Outcome outcome = new Outcome(false, Pg.token(held), Rows.NOBODY);
          switch (pg.outcome.insert(tx, job, outcome)) {
            case BLOCKED -> {
              return Said.BLOCKED;
            }
            case EXISTS -> {
              return Said.ROLL_BACK;
            }
            case DONE -> {
              if (phase == Phase.SCHEDULED) {
                pg.state.write(tx, job, null);
                return Said.DONE;
              }
              return go(7);
            }
          }
        }
      }
      return Said.DONE;
    }
  }

  /** A scheduled job runs now, a runnable one that nobody has taken moves to a row of its own. */
  private final class RunNow extends Steering {
    RunNow(Node through, int job) {
      super(through, job);
    }

    @Override
    Said run(Tx tx) {
      return switch (at) {
        case 0 ->
            pg.job.read(tx, job) == null ? Said.ROLL_BACK : lockState(tx) ? go(1) : Said.BLOCKED;
        case 1 -> byPhase(tx, state);
        case 2 -> isEnded(tx) ? Said.ROLL_BACK : go(3);
        case 3 -> leave(tx, row);
        default -> isEnded(tx) ? Said.ROLL_BACK : schedule(tx, state);
      };
    }

    private Said byPhase(Tx tx, @Nullable State held) {
      if (held != null && held.phase() == Phase.SCHEDULED) {
        return go(4);
      }
      if (held != null && held.phase() != Phase.RUNNABLE) {
        return Said.ROLL_BACK;
      }
      // Not waited for with a state row: whoever has the dispatch row may wait for that one.
      return lockRow(tx, Pg.token(held), held == null) ? go(2) : Said.BLOCKED;
    }

    private Said leave(Tx tx, @Nullable Dispatch locked) {
      if (locked == null || (state == null && pg.state.read(tx, job) != null)) {
        return again();
      }
      return locked.waits() ? move(tx, locked.batch()) : Said.ROLL_BACK;
    }

    private Said schedule(Tx tx, @Nullable State held) {
      if (held == null) {
        return Said.ROLL_BACK;
      }
      State next =
          State.resting(Phase.RUNNABLE, held.token(), held.attempt(), held.past(), Rows.NEVER);
      pg.state.write(tx, job, next);
      pg.insertWaiting(tx, through, new int[] {job}, new int[] {held.token()});
      return Said.DONE;
    }

    /** The token stays: nobody else can hold it. The rest of the batch gets a row of its own. */
    private Said move(Tx tx, Batch old) {
      pg.dispatch.write(tx, old.id(), null);
      List<Integer> rest = new ArrayList<>();
      List<Integer> tokens = new ArrayList<>();
      for (int i = 0; i < old.jobs().length; i++) {
        if (old.jobs()[i] != job) {
          rest.add(old.jobs()[i]);
          tokens.add(old.tokens()[i]);
        }
      }
      if (!rest.isEmpty()) {
        pg.insertWaiting(
            tx,
            through,
            rest.stream().mapToInt(j -> j).toArray(),
            tokens.stream().mapToInt(t -> t).toArray());
      }
      State held = state;
      boolean putOff = world.random.nextBoolean();
      int token = Pg.token(held);
      int attempt = held == null ? 1 : held.attempt();
      Past past = held == null ? Past.NONE : held.past();
      long runAt = world.now + 200;
      State next =
          State.resting(
              putOff ? Phase.SCHEDULED : Phase.RUNNABLE,
              token,
              attempt,
              past,
              putOff ? runAt : Rows.NEVER);
      if (held == null) {
        if (pg.state.insert(tx, job, next) != Table.Insert.DONE) {
          return Said.ROLL_BACK;
        }
      } else {
        pg.state.write(tx, job, next);
      }
      if (!putOff) {
        pg.insertWaiting(tx, through, new int[] {job}, new int[] {token});
      }
      return Said.DONE;
    }
  }
}
