package dev.millpond.engine.flush;

import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells callers and workers what has been committed, on a thread of its own, so that the writer can
 * go on with the next flush. In order; bounded, so that a writer that runs ahead waits.
 */
final class AfterCommit implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(AfterCommit.class);
  private static final int QUEUE_FLUSHES = 256;

  private final BlockingQueue<Runnable> queue = new ArrayBlockingQueue<>(QUEUE_FLUSHES);
  private final Thread thread =
      Thread.ofPlatform().name("millpond-after-commit").daemon().unstarted(this::loop);
  private volatile boolean closing;

  void start() {
    thread.start();
  }

  void run(Runnable news) {
    boolean interrupted = false;
    while (true) {
      try {
        queue.put(news);
        break;
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private void loop() {
    while (!closing || !queue.isEmpty()) {
      try {
        queue.take().run();
      } catch (InterruptedException e) {
        log.debug("interrupted; only the close ends this");
      } catch (RuntimeException e) {
        log.error("a listener of a commit failed", e);
      }
    }
  }

  @Override
  public void close() {
    closing = true;
    boolean ignored =
        queue.offer(() -> {}); // wakes it where it waits; where it is full, it does not
    try {
      thread.join(TimeUnit.SECONDS.toMillis(5));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
