package dev.millpond.engine.simulation;

import dev.millpond.engine.simulation.BatchRun.Attempt;
import dev.millpond.engine.simulation.BatchRun.Life;
import dev.millpond.engine.simulation.BatchRun.Stop;
import dev.millpond.engine.simulation.Portion.End;
import dev.millpond.engine.simulation.Portion.Held;
import dev.millpond.engine.simulation.Portion.How;
import dev.millpond.engine.simulation.Redis.Entry;
import dev.millpond.engine.simulation.Rows.Batch;
import dev.millpond.engine.simulation.Rows.State;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Runs jobs: claims and keeps batches, runs their attempts in slots, dissolves after S. */
final class Worker {
  private static final int SLOTS = 4;
  private static final int READY_MAX = 4;

  /** Batches of one lane that wait here, so that a full one leaves room for the others. */
  private static final int READY_IN_A_LANE_MAX = 3;

  private static final int ATTEMPTS_MAX = 3;

  final Node node;
  final World world;
  final TreeMap<Integer, BatchRun> runs = new TreeMap<>();
  final Set<Attempt> tracked = new LinkedHashSet<>();
  private final ArrayDeque<BatchRun> ready = new ArrayDeque<>();
  private final List<Attempt> running = new ArrayList<>();
  private final Quarantine quarantine;

  /** That it runs. */
  final Set<Integer> kinds;

  private int reserved;
  boolean draining;

  /** Nothing more is said of its session. */
  boolean closing;

  /** Nothing that waits in the lanes is begun. */
  boolean lanesPaused;

  Worker(Node node, Set<Integer> kinds) {
    this.node = node;
    this.world = node.world;
    this.kinds = kinds;
    this.quarantine = new Quarantine(this);
  }

  void start() {
    world.tasks.add(new Heartbeat(this));
    world.tasks.add(new Slots());
    world.tasks.add(new Watch());
    world.tasks.add(quarantine);
    for (Link link : node.links.values()) {
      world.tasks.add(new Claims.FromStreams(this, link));
    }
    world.tasks.add(new Claims.FromTable(this));
  }

  boolean hasRoom() {
    return !draining && ready() < READY_MAX;
  }

  /** Batches that wait for a slot, or to run alone. */
  int ready() {
    return ready.size() + quarantine.size();
  }

  /** Whether nothing runs in this process. */
  boolean idleNow() {
    return running.isEmpty();
  }

  /** Lanes of which it takes more. */
  List<Integer> openLanes() {
    List<Integer> open = new ArrayList<>();
    for (int lane = 0; lane < world.scenario.lanes(); lane++) {
      int mine = lane;
      if (ready.stream().filter(run -> run.batch.lane() == mine).count() < READY_IN_A_LANE_MAX) {
        open.add(lane);
      }
    }
    return open;
  }

  // What it keeps of the batches that its own process makes (ADR 15).

  /** Whether it will keep a batch once it is committed; a yes holds room. */
  boolean reserve(int kind) {
    if (!world.scenario.keeps()
        || draining
        || !kinds.contains(kind)
        || running.size() + ready() + reserved >= SLOTS / 2) {
      return false;
    }
    reserved++;
    return true;
  }

  void release(int batches) {
    reserved -= batches;
  }

  /**
   * Takes over what is now committed.
   *
   * @param session that their rows name
   * @param millis from the first sending of the flush to its answer
   */
  void keep(List<Batch> batches, int session, long millis) {
    List<Batch> kept = List.copyOf(batches);
    if (session != node.session) {
      world.checks.count("kept and left to the reaper");
      release(kept.size()); // fenced meanwhile: what the old session holds is the reaper's
    } else if (millis > World.SETTLE && !world.has(Bug.KEPT_LATE_WITHOUT_GATE)) {
      world.checks.count("kept and given back");
      // Somebody may have rescued them already; the gate of the hand-back finds out.
      kept.forEach(batch -> giveBack(batch, null, false));
      release(kept.size());
    } else {
      world.checks.count("kept");
      // Another thread may fence the session between the look and the hand-over.
      world.later(
          node,
          world.latency(),
          () -> {
            kept.forEach(batch -> accept(batch, null, all(batch), millis <= World.SETTLE));
            release(kept.size());
          });
    }
  }

  /** R14 is left out: nobody else can have touched a job of a row that was claimed as made. */
  private static List<Loaded> all(Batch batch) {
    List<Loaded> jobs = new ArrayList<>();
    for (int job : batch.jobs()) {
      jobs.add(new Loaded(job, 1, 1, false, 0));
    }
    return jobs;
  }

  /**
   * A job to run.
   *
   * @param losses how often it was lost with its process since the last end of an attempt
   */
  record Loaded(int job, int token, int attempt, boolean hasState, int losses) {}

  /** Takes over a claimed batch with what was loaded of it. */
  void accept(Batch batch, @Nullable Entry entry, List<Loaded> jobs, boolean gated) {
    if (runs.containsKey(batch.id()) && !world.has(Bug.DRAIN_GIVES_BACK_WHAT_RUNS)) {
      drop(entry); // the first claim was forgotten: what is at work goes on
      return;
    }
    boolean elsewhere = !kinds.contains(batch.kind());
    if (elsewhere || draining) {
      giveBack(batch, entry, elsewhere);
      return;
    }
    BatchRun run = new BatchRun(this, batch, entry, gated);
    for (Loaded job : jobs) {
      run.add(job);
    }
    if (jobs.isEmpty()) {
      run.dissolve(); // every job of it has ended or moved on: only its row is left
      return;
    }
    if (runs.putIfAbsent(batch.id(), run) != null) {
      drop(entry);
      return;
    }
    if (run.losses() > 0 && !world.has(Bug.SUSPECTS_IN_COMPANY)) {
      quarantine.add(run);
    } else {
      ready.add(run);
    }
    for (Node other : world.nodes) {
      if (other != node && other.worker != null && other.worker.runs.containsKey(batch.id())) {
        world.checks.count("batches at two workers");
      }
    }
  }

  /** Gives back a batch as it came. */
  private void giveBack(Batch batch, @Nullable Entry entry, boolean elsewhere) {
    List<Held> held = new ArrayList<>();
    for (int i = 0; i < batch.jobs().length; i++) {
      held.add(new Held(batch.jobs()[i], batch.tokens()[i], 1));
    }
    node.write(
        new Portion(batch, true, List.of(), List.of(), held, elsewhere, true, news -> drop(entry)));
  }

  /** Acks the entry of a batch that is committed, or that others answer for. */
  void release(Batch batch, @Nullable Entry entry) {
    if (entry != null) {
      world.checks.acks(batch);
    }
    drop(entry);
  }

  /** Acks an entry, whatever became of its batch. */
  void drop(@Nullable Entry entry) {
    if (entry != null) {
      node.remove(entry);
    }
  }

  /** The session is fenced: nothing that runs here counts any more. */
  void loseAll() {
    ready.clear();
    quarantine.clear();
    runs.values().forEach(BatchRun::lose);
    tracked.forEach(attempt -> attempt.stop(Stop.LOST));
  }

  void drain() {
    if (draining) {
      return;
    }
    draining = true;
    ready.forEach(BatchRun::dissolve);
    ready.clear();
    quarantine.clear().forEach(BatchRun::dissolve);
    world.later(
        node,
        world.random.nextInt(600),
        () -> {
          List.copyOf(runs.values())
              .forEach(run -> {
                run.dissolve();
                run.attempts.forEach(attempt -> attempt.stop(Stop.SHUTDOWN));
              });
          tracked.forEach(attempt -> attempt.stop(Stop.SHUTDOWN));
          awaitIdle();
        });
  }

  private void awaitIdle() {
    boolean idle =
        reserved == 0
            && running.isEmpty()
            && runs.isEmpty()
            && tracked.isEmpty()
            && node.hot.idle()
            && node.cold.idle();
    if (idle) {
      closing = true;
      close();
    } else {
      world.later(node, 20, this::awaitIdle);
    }
  }

  /** The session has nothing left: its row goes, and then the process. */
  private void close() {
    int session = node.session;
    Work.interactive(
            world,
            node,
            "close of s" + session,
            answer -> {
              node.die();
              world.checks.left(node.process);
              world.chaos.replace(node, false, world.random.nextInt(500));
            })
        .then(tx -> {
          if (!world.pg.session.lock(tx, session, Table.Mode.UPDATE)) {
            return Work.Said.BLOCKED;
          }
          if (world.pg.session.read(tx, session) != null && !holdsAnything(session)) {
            world.pg.session.write(tx, session, null);
          }
          return Work.Said.DONE;
        })
        .start();
  }

  private boolean holdsAnything(int session) {
    for (Table.Row<State> row : world.pg.state.rows.values()) {
      State state = row.committed;
      if (state != null && state.phase() == Rows.Phase.RUNNING && state.session() == session) {
        return true;
      }
    }
    for (Table.Row<Rows.Dispatch> row : world.pg.dispatch.rows.values()) {
      if (row.committed != null && row.committed.claimedBy() == session) {
        return true;
      }
    }
    return false;
  }

  /** The slots: each step starts an attempt or ends one. */
  private final class Slots extends Task {
    Slots() {
      super(node);
    }

    @Override
    void step() {
      readyAt = world.now + 2 + world.random.nextInt(4);
      for (Attempt attempt : running) {
        if (attempt.endsAt <= world.now) {
          running.remove(attempt);
          if (world.chaos.isPill(attempt.job)) {
            world.checks.kills(attempt.job);
            world.chaos.crash(node);
          } else {
            end(attempt);
          }
          return;
        }
      }
      while (!lanesPaused && running.size() < SLOTS && !ready.isEmpty()) {
        Attempt attempt = ready.getFirst().take();
        if (attempt == null) {
          ready.removeFirst();
        } else {
          begin(attempt);
          return;
        }
      }
    }
  }

  private void begin(Attempt attempt) {
    attempt.life = Life.STARTED;
    attempt.endsAt = world.now + runMillis();
    if (attempt.stop != Stop.NONE) {
      attempt.endsAt = world.now;
    }
    running.add(attempt);
    world.checks.runs(attempt.job, attempt.token, attempt.attempt, node);
  }

  /** Begins one that was held; one that was told to stop meanwhile ends instead. */
  void beginHeld(Attempt attempt) {
    if (attempt.stop != Stop.NONE) {
      attempt.life = Life.ENDED;
      How how = attempt.stop == Stop.CANCELLED ? How.CANCELLED : How.RETURNED;
      boolean lost = attempt.stop == Stop.LOST;
      attempt.run.ended(
          attempt, lost ? null : new End(attempt.job, attempt.token, attempt.attempt, true, how));
      return;
    }
    begin(attempt);
  }

  /** Most are short; some see their batch written in parts, some are tracked, some for long. */
  private long runMillis() {
    if (world.scenario.partly() && world.random.nextInt(8) > 0) {
      return 20L + world.random.nextInt(450);
    }
    return switch (world.random.nextInt(12)) {
      case 0, 1 -> 100L + world.random.nextInt(300);
      case 2 -> 400L + world.random.nextInt(800);
      case 3 -> world.random.nextInt(3) == 0 ? 4_500 : 900;
      default -> world.random.nextInt(30);
    };
  }

  private void end(Attempt attempt) {
    attempt.life = Life.ENDED;
    End end = attempt.stop == Stop.LOST ? null : how(attempt);
    attempt.run.ended(attempt, end);
  }

  private End how(Attempt attempt) {
    How how;
    if (attempt.stop == Stop.CANCELLED && world.random.nextBoolean()) {
      how = How.CANCELLED;
    } else if (attempt.stop == Stop.SHUTDOWN && world.random.nextBoolean()) {
      how = How.RETURNED;
    } else {
      boolean fails = world.random.nextInt(10) < world.scenario.failures();
      boolean last = attempt.attempt >= ATTEMPTS_MAX || world.random.nextInt(3) == 0;
      how = !fails ? How.SUCCESS : last ? How.DEAD : How.RETRY;
    }
    return new End(attempt.job, attempt.token, attempt.attempt, attempt.hasState, how);
  }

  /** Dissolves what is older than S, and writes the first ends of what takes long. */
  private final class Watch extends Task {
    Watch() {
      super(node);
    }

    @Override
    void step() {
      readyAt = world.now + 20;
      for (BatchRun run : List.copyOf(runs.values())) {
        long age = world.now - run.claimedAt;
        if (run.over()) {
          runs.remove(run.batch.id(), run);
        } else if (age > World.SETTLE) {
          run.dissolve();
        } else if (age > World.PART) {
          run.flushPart();
        }
      }
    }
  }

  /** What there is of a job for a claim: not ended, and at the batch's token (R14). */
  static @Nullable Loaded load(int job, int token, boolean ended, @Nullable State state) {
    if (ended) {
      return null;
    }
    if (state == null) {
      return token == 1 ? new Loaded(job, 1, 1, false, 0) : null;
    }
    return state.token() == token && state.phase() == Rows.Phase.RUNNABLE
        ? new Loaded(job, token, state.attempt(), true, state.past().losses())
        : null;
  }
}
