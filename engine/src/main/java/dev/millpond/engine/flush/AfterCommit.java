package dev.millpond.engine.flush;

import dev.millpond.engine.threads.LoopThread;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells callers and workers what has been committed, on a thread of its own, so that the writer can
 * go on with the next flush. In order; bounded, so that a writer that runs ahead waits. Without its
 * thread, should that be lost, the writers tell them, one at a time and older news first.
 */
final class AfterCommit implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(AfterCommit.class);
  private static final int QUEUE_FLUSHES = 256;

  /** A writer that waits for room looks this often whether there is still somebody who makes it. */
  private static final long LOOK_MILLIS = 100;

  private final BlockingQueue<Runnable> queue = new ArrayBlockingQueue<>(QUEUE_FLUSHES);
  private final LoopThread thread =
      new LoopThread("millpond-after-commit", true, this::loop, this::tellAll);
  private volatile boolean closing;

  void start() {
    thread.start();
  }

  void run(Runnable news) {
    boolean interrupted = false;
    boolean queued = false;
    while (!queued && !gone()) {
      try {
        queued = queue.offer(news, LOOK_MILLIS, TimeUnit.MILLISECONDS);
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (!queued) {
      tellAllAnd(news);
    } else if (gone()) { // and may have left it
      tellAll();
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

  /** Whether nobody takes anything out of the queue any more. */
  private boolean gone() {
    return thread.lost() || (closing && !thread.isAlive());
  }

  private synchronized void tellAllAnd(Runnable news) {
    tellAll();
    tell(news);
  }

  private synchronized void tellAll() {
    for (Runnable news = queue.poll(); news != null; news = queue.poll()) {
      tell(news);
    }
  }

  private static void tell(Runnable news) {
    try {
      news.run();
    } catch (RuntimeException | Error e) { // others wait for theirs
      log.error("a listener of a commit failed", e);
    }
  }

  LoopThread thread() {
    return thread;
  }

  @Override
  public void close() {
    thread.mayEnd();
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
