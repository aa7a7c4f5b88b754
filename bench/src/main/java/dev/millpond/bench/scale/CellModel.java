package dev.millpond.bench.scale;

import java.util.Comparator;
import java.util.List;

/**
 * What cells, each one PostgreSQL with the nodes it needs, should do, from what a job costs. A rate
 * is the least of what processors, log, network and writers allow; nothing else is in it: no lock
 * that many backends fight for, no checkpoint, no cache that is too small. Stateless.
 */
final class CellModel {
  private static final double MICROS = 1e6;
  private static final double BYTES_OF_GBIT = 1e9 / 8;

  /**
   * The share of a processor's time that was used when the bench machine did as much as it could:
   * the rest is waiting for the disk and for one another. From lists of 1000, see {@link Costs}.
   */
  static final double BUSY = 0.70;

  private CellModel() {}

  /**
   * What one job costs, submitted and run, as measured.
   *
   * @param load how jobs come in
   * @param postgresMicros of processor time, as are the next two
   * @param walBytes of PostgreSQL's log
   * @param netInBytes to PostgreSQL's host, with all headers
   * @param netOutBytes from it
   * @param measured jobs per second of one cell on the machine with two processors, all in one
   */
  record Costs(
      String load,
      double postgresMicros,
      double javaMicros,
      double redisMicros,
      double walBytes,
      double netInBytes,
      double netOutBytes,
      double measured) {

    /** Everything on a machine with so many processors. */
    double onOneMachine(int cores) {
      return cores * BUSY * MICROS / (postgresMicros + javaMicros + redisMicros);
    }
  }

  /**
   * A database host.
   *
   * @param cores for PostgreSQL alone
   * @param serial share of its work that only one processor at a time can do; a guess, from 0 to
   *     0.05
   * @param walMegabytes its disk writes in a second, in order
   * @param gigabits of its network, each way
   * @param writers nodes that write: submitters and workers
   */
  record Host(int cores, double serial, double walMegabytes, double gigabits, int writers) {}

  /** A bound of a rate, and what sets it. */
  record Bound(String by, double jobsPerSecond) {}

  /** One writer's flushes follow one another: more than this does not go through one node. */
  static final double WRITER_MAX = 128_000;

  /** What one cell does: the least of all bounds. */
  static Bound cell(Costs costs, Host host) {
    return bounds(costs, host).stream()
        .min(Comparator.comparingDouble(Bound::jobsPerSecond))
        .orElseThrow();
  }

  /** All bounds of one cell. */
  static List<Bound> bounds(Costs costs, Host host) {
    double effective = host.cores() / (1 + host.serial() * (host.cores() - 1));
    double net = Math.max(costs.netInBytes(), costs.netOutBytes());
    return List.of(
        new Bound("processors", effective * BUSY * MICROS / costs.postgresMicros()),
        new Bound("log", host.walMegabytes() * 1e6 / costs.walBytes()),
        new Bound("network", host.gigabits() * BYTES_OF_GBIT / net),
        new Bound("writers", host.writers() / 2.0 * WRITER_MAX));
  }

  /**
   * What several cells do before the hottest of them is full.
   *
   * @param hottest its share of the load
   */
  static double cells(Bound one, double hottest) {
    return one.jobsPerSecond() / hottest;
  }

  /** Processors of nodes for a rate, Redis with them. */
  static double nodeCores(Costs costs, double jobsPerSecond) {
    return jobsPerSecond * (costs.javaMicros() + costs.redisMicros()) / MICROS / BUSY;
  }

  /**
   * Connections of one cell's PostgreSQL at most: two lanes and a pool of each node; of each worker
   * its beats, its claims and a reader a way besides.
   *
   * @param apis nodes that submit to this cell, those of other cells among them
   */
  static int connections(int apis, int workers, int keepers, int redisServers) {
    int node = LANES + POOL;
    return apis * node + keepers * node + workers * (node + 2 + redisServers + 1);
  }

  private static final int LANES = 2;
  private static final int POOL = 8;

  /**
   * Callers that wait for each other's flush, over a slower network. While one half of them is in a
   * flush the other gathers, so a call takes two flushes, and a flush one round trip more than its
   * work.
   *
   * @param rateBefore jobs per second without the added time
   * @return the rate with it
   */
  static double slower(int callers, double rateBefore, double addedMillis) {
    double flushMillis = callers / (2 * rateBefore) * 1e3;
    return callers / (2 * (flushMillis + addedMillis)) * 1e3;
  }
}
