package dev.millpond.engine.simulation;

import dev.millpond.engine.simulation.Redis.Refused;

/**
 * What a process knows of a Redis server, as the engine's RedisServer (ADR 23): whether it answers,
 * whether it takes writes, and whether it was away and has not been looked through since.
 */
final class Link {
  /** A command. */
  @FunctionalInterface
  interface Command<T> {
    T run() throws Refused;
  }

  private static final long REST_FIRST = 500;
  private static final long REST_MAX = 3_000;

  final Redis redis;
  private final World world;
  private boolean failed;
  private boolean open;
  private int openings;
  private long openUntil;
  private boolean full;
  private long fullUntil;
  private boolean returned;
  private boolean asked;

  Link(World world, Redis redis) {
    this.world = world;
    this.redis = redis;
  }

  /** Whether it answers, as far as known: what is there is read. */
  boolean up() {
    return !open;
  }

  /** Whether new batches may be put there. */
  boolean usable() {
    return !open && !returned && !full;
  }

  /** Runs a command, unless the server is left alone. */
  <T> T call(Command<T> command) throws Refused {
    if (open && world.now < openUntil) {
      throw new Refused(Refused.Why.LEFT_ALONE);
    }
    try {
      T answer = command.run();
      answered();
      return answer;
    } catch (Refused e) {
      switch (e.why) {
        case ORDINARY -> answered();
        case NO_WRITES -> {
          answered();
          full = true;
          fullUntil = world.now + rest(0);
        }
        case OF_NO_USE -> leaveAlone();
        case NO_ANSWER -> {
          if (failed || open) {
            leaveAlone();
          }
          failed = true;
        }
        case LEFT_ALONE -> {}
      }
      throw e;
    }
  }

  private void answered() {
    failed = false;
    open = false;
    openings = 0;
  }

  private void leaveAlone() {
    world.checks.count("servers left alone");
    open = true;
    openUntil = world.now + rest(openings++);
    returned = true;
    asked = false;
  }

  private long rest(int times) {
    long rest = REST_FIRST;
    for (int i = 0; i < times && rest < REST_MAX; i++) {
      rest += rest / 2;
    }
    rest = Math.min(rest, REST_MAX);
    return rest * (70 + world.random.nextInt(60)) / 100;
  }

  /** Finds out whether it may be used again; called by the sender now and then. */
  void probe() throws Refused {
    if (open) {
      ask();
    }
    if (full && world.now >= fullUntil) {
      call(redis::probe);
      full = false;
    }
    if (returned && !open) {
      if (!asked) {
        ask();
      } else if (call(redis::isMarked)) {
        returned = false;
        world.checks.count("servers reconciled");
        world.trace.add(() -> redis + " is used again");
      }
    }
  }

  private void ask() throws Refused {
    call(redis::removeMark);
    asked = true;
  }
}
