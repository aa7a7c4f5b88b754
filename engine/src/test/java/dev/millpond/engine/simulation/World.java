package dev.millpond.engine.simulation;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * One play of the protocol: a database, Redis servers, processes, and a scheduler that picks by
 * seed who takes the next step. Its clock moves only here. The same seed gives the same play.
 *
 * <p>Times are those of the fast profile, in milliseconds.
 */
final class World {
  static final long LEASE = 2_000;
  static final long BEAT = 500;
  static final long SETTLE = 500;
  static final long SCAN = 250;
  static final long PART = 100;
  static final long LOCK_TIMEOUT = 250;

  /** A running job that is not seen for so long is rescued although its session lives. */
  static final long VISIBILITY = 3_000;

  /** How often a process looks who reads what. */
  static final long READERS = 2_000;

  /** What a commit that does not wait for the disk may lose. */
  static final long LAZY = 600;

  /** After the last fault everything has to be over within this time and these steps. */
  static final long QUIET_WITHIN = 90_000;

  private static final int STEPS_AFTER = 400_000;

  /** Without faults nobody who is ready waits for longer than this. */
  private static final long FAIR = 40;

  final Set<Bug> bugs;
  final long seed;
  final SplittableRandom random;
  final Scenario scenario;
  final Trace trace = new Trace(this);
  final Checks checks = new Checks(this);
  final Pg pg = new Pg(this);
  final List<Redis> redis = new ArrayList<>();
  final List<Task> tasks = new ArrayList<>();
  final List<Node> nodes = new ArrayList<>();
  final Chaos chaos;
  long now = 1;
  long steps;
  private int batches;
  private int sessions;
  private int processes;

  World(long seed, Set<Bug> bugs) {
    this.seed = seed;
    this.bugs = EnumSet.noneOf(Bug.class);
    this.bugs.addAll(bugs);
    this.random = new SplittableRandom(seed);
    this.scenario = Scenario.of(random);
    for (int shard = 0; shard < scenario.shards(); shard++) {
      redis.add(new Redis(this, shard));
    }
    this.chaos = new Chaos(this);
  }

  boolean has(Bug bug) {
    return bugs.contains(bug);
  }

  int nextBatch() {
    return ++batches;
  }

  int nextProcess() {
    return ++processes;
  }

  int nextSession() {
    return ++sessions;
  }

  /** How long an I/O takes. */
  long latency() {
    return chaos.slow()
        ? random.nextLong(3 * SETTLE)
        : random.nextInt(chaos.over ? 3 : scenario.lag());
  }

  /** Something that happens in a process, or to nobody's, after a time. */
  void later(@Nullable Node owner, long millis, Runnable what) {
    Task task =
        new Task(owner) {
          @Override
          void step() {
            over = true;
            what.run();
          }
        };
    task.readyAt = now + millis;
    tasks.add(task);
  }

  /** The server goes on with a transaction whose client is gone. */
  void adopt(Work work) {
    work.over = true;
    Task server =
        new Task(null) {
          @Override
          void step() {
            work.over = false;
            work.step();
            over = work.over;
            work.over = true;
            readyAt = work.readyAt;
          }
        };
    server.readyAt = now + random.nextInt(400);
    tasks.add(server);
  }

  /** Plays to the end. Throws a {@link Violation} where an invariant does not hold. */
  void play() {
    pg.leader.rows.clear();
    for (int i = 0; i < scenario.workers(); i++) {
      nodes.add(new Node(this, "worker" + i, kinds(i), list(), false).start());
    }
    nodes.add(new Node(this, "api", Set.of(), list(), false).start());
    nodes.add(new Node(this, "leader0", Set.of(), list(), true).start());
    nodes.add(new Node(this, "leader1", Set.of(), list(), true).start());
    tasks.add(new Users(this));
    tasks.add(chaos);
    long stepsAtEnd = Long.MAX_VALUE;
    while (true) {
      step();
      if (chaos.over) {
        if (stepsAtEnd == Long.MAX_VALUE) {
          stepsAtEnd = steps + STEPS_AFTER;
        }
        if (steps % 16 == 0 && checks.quiet()) {
          checks.end();
          return;
        }
        if (now > chaos.endedAt + QUIET_WITHIN || steps > stepsAtEnd) {
          checks.notQuiet();
        }
      }
    }
  }

  /** Kinds that a worker runs: the first one all, others perhaps one of them. */
  private Set<Integer> kinds(int worker) {
    Set<Integer> kinds = new TreeSet<>();
    for (int kind = 0; kind < scenario.kinds(); kind++) {
      kinds.add(kind);
    }
    if (worker > 0 && random.nextBoolean()) {
      return Set.of(random.nextInt(scenario.kinds()));
    }
    return kinds;
  }

  /** Servers that a process knows. */
  private Set<Integer> list() {
    Set<Integer> list = new TreeSet<>();
    for (Redis server : redis) {
      if (!scenario.lists() || random.nextInt(4) > 0) {
        list.add(server.shard);
      }
    }
    return list;
  }

  private void step() {
    Task next = pick();
    steps++;
    next.step();
    if (next.over) {
      tasks.remove(next);
    }
  }

  /** Anyone who is ready; time moves a little with each step, and on to the next who will be. */
  private Task pick() {
    while (true) {
      int ready = 0;
      Task chosen = null;
      Task late = null;
      long soonest = Long.MAX_VALUE;
      for (int i = 0; i < tasks.size(); i++) {
        Task task = tasks.get(i);
        if (task.mayRun(now)) {
          ready++;
          if (random.nextInt(ready) == 0) {
            chosen = task;
          }
          if (late == null || task.readyAt < late.readyAt) {
            late = task;
          }
        } else {
          long at = task.readyAt;
          if (task.owner != null && task.owner.pausedUntil > at) {
            at = task.owner.pausedUntil;
          }
          soonest = Math.min(soonest, at);
        }
      }
      if (chosen != null && late != null) {
        if (random.nextInt(4) == 0) {
          now++;
        }
        return now - late.readyAt > FAIR ? late : chosen;
      }
      now = soonest;
    }
  }
}
