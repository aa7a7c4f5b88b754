package dev.millpond.bench.servers;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * The threads of a load, which run until they are told to stop, and the first error that one of
 * them met. Started and ended by one thread.
 */
public final class LoadThreads implements AutoCloseable {
  private final List<Thread> threads = new ArrayList<>();
  private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
  private volatile boolean stopped;

  /** Takes over a thread that has been started. */
  public void add(Thread thread) {
    threads.add(thread);
  }

  /** Whether its threads are to end. */
  public boolean stopped() {
    return stopped;
  }

  /** Tells of an error; the first one counts. */
  public void failed(Throwable error) {
    failure.compareAndSet(null, error);
  }

  public boolean hasFailed() {
    return failure.get() != null;
  }

  /**
   * Lets what is in flight end.
   *
   * @throws IllegalStateException when some of it failed
   */
  public void stop() throws InterruptedException {
    join();
    Throwable thrown = failure.get();
    if (thrown != null) {
      throw new IllegalStateException("a submit failed", thrown);
    }
  }

  /** Lets what is in flight end, whether some of it failed or not. */
  @Override
  public void close() {
    try {
      join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void join() throws InterruptedException {
    stopped = true;
    for (Thread thread : threads) {
      thread.join();
    }
  }
}
