package dev.millpond.engine.simulation;

import java.util.EnumSet;
import java.util.Set;
import java.util.SplittableRandom;

/**
 * What one seed plays: which ways there are, who submits and steers, and which faults come. Each
 * seed leaves most faults out, so that what needs only one or two of them is not drowned by others.
 *
 * @param partly whether most jobs take so long that their batch is written in parts
 * @param failures of ten attempts
 * @param tempo milliseconds between faults, at most
 * @param lag milliseconds that an I/O takes, at most, while there are faults
 * @param pace milliseconds between requests of users, at most
 * @param shards Redis servers; none without streams
 * @param lanes queues and classes
 * @param kinds of jobs; the first worker runs all
 * @param lists whether processes know some of the servers only
 * @param keys whether users submit under idempotency keys as well
 */
record Scenario(
    boolean streams,
    boolean keeps,
    boolean users,
    boolean partly,
    int failures,
    int tempo,
    int pace,
    int lag,
    int workers,
    int shards,
    int lanes,
    int kinds,
    boolean lists,
    boolean keys,
    int jobs,
    long faultsUntil,
    Set<Fault> faults) {

  /** What may happen to processes, PostgreSQL, Redis and the net between them. */
  enum Fault {
    CRASH,
    /** Some jobs kill the process that runs them. */
    PILL,
    PAUSE,
    CUT,
    /** A cut that one side does not notice for long. */
    HALF_OPEN,
    SLOW,
    POSTGRES_STOP,
    REDIS_LOSS,
    REDIS_RESTORED,
    GROUP_DESTROYED,
    ENTRY_LOST,
    ENTRY_DOUBLED,
    REDIS_DOWN,
    /** It answers that it is a replica, which takes no writes. */
    REDIS_READ_ONLY,
    /** It takes no writes that need memory. */
    REDIS_FULL,
    /** Claim hints get an error for an answer, and their batches run. */
    OUT_OF_MEMORY,
    DRAIN
  }

  static Scenario of(SplittableRandom random) {
    int ways = random.nextInt(3);
    EnumSet<Fault> faults = EnumSet.noneOf(Fault.class);
    int kinds = random.nextInt(5); // none in one of five
    for (int i = 0; i < kinds; i++) {
      faults.add(Fault.values()[random.nextInt(Fault.values().length)]);
    }
    if (random.nextInt(6) == 0) {
      // Twice the same batch, at two workers: what they do at the same time is hardest to get
      // right.
      faults.add(Fault.OUT_OF_MEMORY);
      faults.add(Fault.GROUP_DESTROYED);
      ways = 1;
    }
    return new Scenario(
        ways != 0,
        random.nextInt(3) > 0,
        random.nextBoolean(),
        random.nextInt(3) == 0,
        2 + random.nextInt(4),
        random.nextBoolean() ? 60 : 500,
        random.nextBoolean() ? 60 : 300,
        !faults.isEmpty() && random.nextInt(3) == 0 ? 25 : 3,
        1 + random.nextInt(3),
        ways == 0 ? 0 : 1 + random.nextInt(2),
        1 + random.nextInt(2),
        random.nextInt(3) == 0 ? 2 : 1,
        ways == 2,
        random.nextInt(3) == 0,
        4 + random.nextInt(40),
        1_500 + random.nextInt(faults.contains(Fault.PILL) ? 12_000 : 3_500),
        faults);
  }

  boolean calm() {
    return faults.isEmpty();
  }
}
