package dev.millpond.bench.scenario;

import java.util.List;

/**
 * The end of a measurement, after the last connection was closed.
 *
 * @param jobs acknowledged in all, with the warm-up
 * @param commits of all connections from start to end
 * @param deadTuples row versions left by updates and deletes from start to end
 * @param problems what did not add up; empty when valid
 */
public record Ended(long jobs, long commits, long deadTuples, List<String> problems) {

  /** Adds a problem when two counts differ. */
  public static void expect(List<String> problems, String what, long expected, long found) {
    if (expected != found) {
      problems.add(what + ": expected " + expected + ", found " + found);
    }
  }
}
