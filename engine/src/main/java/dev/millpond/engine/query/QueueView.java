package dev.millpond.engine.query;

import java.util.List;

/**
 * A queue as last counted.
 *
 * @param depth runnable and running jobs
 * @param scheduled jobs that wait for their run time or the next attempt
 * @param dead dead letters
 * @param classes the same by priority class, as far as counted by class
 */
public record QueueView(
    String name,
    long depth,
    long scheduled,
    long dead,
    long oldestAgeMillis,
    List<ClassDepth> classes) {

  /** Depth of one priority class and its weight against the other classes of the queue. */
  public record ClassDepth(String priorityClass, long depth, int weight) {}
}
