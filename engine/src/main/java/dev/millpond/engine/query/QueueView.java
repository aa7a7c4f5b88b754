package dev.millpond.engine.query;

import dev.millpond.engine.admission.Watermarks;
import dev.millpond.engine.flow.Pause;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A queue as last counted.
 *
 * @param depth runnable and running jobs
 * @param payloadBytes of the jobs of its depth
 * @param scheduled jobs that wait for their run time or the next attempt
 * @param dead dead letters
 * @param weight against the other queues
 * @param aging how long a batch may be ready before it is served ahead of the weights; null for no
 *     bound
 * @param watermarks when it is full
 * @param closed whether it takes no jobs now, having been full
 * @param drainPerSecond jobs that leave it in a second, as measured
 * @param pause why nothing of it is started now; null when it is not paused
 * @param classes the same by priority class, as far as counted by class
 */
public record QueueView(
    String name,
    long depth,
    long payloadBytes,
    long scheduled,
    long dead,
    long oldestAgeMillis,
    int weight,
    @Nullable Duration aging,
    Watermarks watermarks,
    boolean closed,
    double drainPerSecond,
    @Nullable Pause pause,
    List<ClassDepth> classes) {

  /** Depth of one priority class and its weight against the other classes of the queue. */
  public record ClassDepth(String priorityClass, long depth, int weight) {}
}
