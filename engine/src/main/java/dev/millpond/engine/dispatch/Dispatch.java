package dev.millpond.engine.dispatch;

import dev.millpond.engine.threads.LoopThread;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Set;

/**
 * One way from the commit to the workers: a Redis server's streams, or the dispatch table itself. A
 * hint in every case: what it loses or doubles, the dispatch row and the fencing token put right.
 *
 * <p>{@link #claim} is called by one thread at a time; everything else by any.
 */
public interface Dispatch extends AutoCloseable {

  /** Name for logs, metrics and health: {@code redis.0}, {@code postgres}. */
  String name();

  /**
   * Whether this node will {@link #send} the batch once it is committed. Asked before the flush.
   */
  boolean sends(Batch batch);

  /**
   * Puts committed batches on their way; does not wait for it.
   *
   * @param committedNanos of {@link System#nanoTime()}; too long after it, nothing is sent any more
   */
  void send(List<Batch> batches, long committedNanos);

  /**
   * Takes batches, each of them from now on this session's to run or to give back.
   *
   * @param wait how long to wait for the first one
   * @return as soon as there is one; empty when the time is up
   * @throws DispatchException when the way is blocked; to be tried again later
   */
  List<Claimed> claim(Demand demand, Duration wait);

  /** Forgets batches whose dispatch rows are gone. Does not wait for it; may fail silently. */
  void release(Collection<Claimed> claimed);

  /** Ends a {@link #claim} that waits. */
  void wake();

  /** Shards whose batches come this way; none for the table, which takes those of all. */
  default Set<Integer> shards() {
    return Set.of();
  }

  /** Whether it works now. */
  boolean up();

  /** Those of its own. */
  default List<LoopThread> threads() {
    return List.of();
  }

  @Override
  void close();
}
