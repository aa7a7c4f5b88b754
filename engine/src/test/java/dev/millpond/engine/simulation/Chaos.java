package dev.millpond.engine.simulation;

import dev.millpond.engine.simulation.Scenario.Fault;
import java.util.List;

/** Brings the faults of a scenario, at random times, until its end; then everything is mended. */
final class Chaos extends Task {
  /** One job in so many is a pill. */
  private static final int PILLS = 9;

  private final World world;
  private final List<Fault> faults;
  private final boolean cuts;
  private final boolean slows;
  private int restarts;
  long endedAt;

  Chaos(World world) {
    super(null);
    this.world = world;
    this.faults = List.copyOf(world.scenario.faults());
    this.cuts = faults.contains(Fault.CUT) || faults.contains(Fault.HALF_OPEN);
    this.slows = faults.contains(Fault.SLOW);
  }

  /** Whether a connection to the database is lost at this step. */
  boolean cutsHere() {
    return cuts && !over && world.random.nextInt(60) == 0;
  }

  /** How long a client waits for an answer on a connection that is no more. */
  long noticedAfter() {
    boolean halfOpen = faults.contains(Fault.HALF_OPEN) && world.random.nextInt(4) == 0;
    return halfOpen ? world.random.nextLong(3 * World.LEASE) : world.latency();
  }

  boolean outOfMemory() {
    return !over && faults.contains(Fault.OUT_OF_MEMORY) && world.random.nextBoolean();
  }

  boolean slow() {
    return slows && !over && world.random.nextInt(50) == 0;
  }

  @Override
  void step() {
    if (world.now >= world.scenario.faultsUntil()) {
      over = true;
      endedAt = world.now;
      world.redis.forEach(Redis::mend);
      world.nodes.forEach(node -> node.pausedUntil = Math.min(node.pausedUntil, world.now));
      world.trace.add("--- no more faults");
      return;
    }
    readyAt = world.now + 10 + world.random.nextInt(world.scenario.tempo());
    if (!faults.isEmpty()) {
      strike(faults.get(world.random.nextInt(faults.size())));
    }
  }

  private void strike(Fault fault) {
    switch (fault) {
      case CUT, SLOW, HALF_OPEN, OUT_OF_MEMORY, PILL -> {
        return;
      }
      case CRASH -> crash(anyNode());
      case PAUSE -> {
        Node node = anyNode();
        node.pausedUntil = world.now + world.random.nextLong(3 * World.LEASE);
      }
      case POSTGRES_STOP -> world.pg.crash();
      case REDIS_LOSS,
          REDIS_RESTORED,
          GROUP_DESTROYED,
          ENTRY_LOST,
          ENTRY_DOUBLED,
          REDIS_DOWN,
          REDIS_READ_ONLY,
          REDIS_FULL -> {
        if (!world.redis.isEmpty()) {
          strike(fault, world.redis.get(world.random.nextInt(world.redis.size())));
        }
      }
      case DRAIN -> anyNode().drain();
    }
    world.trace.add("--- " + fault);
  }

  /** One server at a time: the others go on. */
  private void strike(Fault fault, Redis redis) {
    world.trace.add("--- " + fault + " of " + redis);
    switch (fault) {
      case REDIS_LOSS -> redis.loseAll();
      case REDIS_RESTORED -> redis.restoreAfterNextAdd(world.random.nextInt(500));
      case GROUP_DESTROYED -> redis.destroyGroup();
      case ENTRY_LOST -> redis.loseOne();
      case ENTRY_DOUBLED -> redis.doubleOne();
      case REDIS_DOWN -> {
        redis.up = false;
        world.later(null, world.random.nextLong(2 * World.LEASE), () -> redis.up = true);
      }
      case REDIS_READ_ONLY -> {
        redis.readOnly = true;
        world.later(null, world.random.nextLong(2 * World.LEASE), () -> redis.readOnly = false);
      }
      case REDIS_FULL -> {
        redis.full = true;
        world.later(null, world.random.nextLong(2 * World.LEASE), () -> redis.full = false);
      }
      case CRASH, PILL, PAUSE, CUT, HALF_OPEN, SLOW, POSTGRES_STOP, OUT_OF_MEMORY, DRAIN ->
          throw new IllegalArgumentException(fault + " is none of Redis");
    }
  }

  private Node anyNode() {
    return world.nodes.get(world.random.nextInt(world.nodes.size()));
  }

  /** Whether a job kills its process. */
  boolean isPill(int job) {
    return !over && job % PILLS == 0 && faults.contains(Fault.PILL);
  }

  void crash(Node node) {
    if (!node.alive) {
      return;
    }
    world.trace.add("--- " + node.name + " dies");
    node.die();
    world.checks.died(node.process);
    boolean seen = world.random.nextBoolean();
    replace(node, seen, world.random.nextLong(World.LEASE));
  }

  /**
   * A new process takes the place of one that is gone.
   *
   * @param seen whether it finds the file that its predecessor had locked, and knows that it died
   */
  void replace(Node node, boolean seen, long after) {
    world.later(
        null,
        after,
        () -> {
          int place = world.nodes.indexOf(node);
          String name = node.name.replaceAll("'.*", "") + "'" + ++restarts;
          Node next = new Node(world, name, node).start();
          world.nodes.set(place, next);
          if (seen) {
            next.saysDied(node.process);
          }
        });
  }
}
