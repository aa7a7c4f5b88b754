package dev.millpond.engine.threads;

import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A platform thread that has to run until it is told to stop. One that ends before, by an Error
 * such as a class that cannot be loaded any more, is lost for good: whatever it has in its hands is
 * not looked after, and nobody may take its place, since the Error may have left that half done. So
 * the process that has lost one is to end. Thread-safe.
 */
public final class LoopThread {
  private static final Logger log = LoggerFactory.getLogger(LoopThread.class);

  private final Thread thread;
  private final Runnable loop;
  private final Runnable whenLost;
  private volatile boolean mayEnd;
  private volatile boolean lost;

  /** A daemon. */
  public LoopThread(String name, Runnable loop) {
    this(name, true, loop, () -> {});
  }

  /**
   * @param loop to return only after {@link #mayEnd}
   * @param whenLost runs once on a thread that an Error has ended, also after {@link #mayEnd}, or
   *     on the one that could not start it: tells those who would wait for it for ever
   */
  public LoopThread(String name, boolean daemon, Runnable loop, Runnable whenLost) {
    this.thread = Thread.ofPlatform().daemon(daemon).name(name).unstarted(this::run);
    this.loop = loop;
    this.whenLost = whenLost;
  }

  private void run() {
    Throwable cause = null;
    try {
      loop.run();
    } catch (Throwable e) { // an Error as well: it is what this class is for
      cause = e;
    }
    if (cause != null || !mayEnd) {
      endedByItself(cause);
    }
  }

  private void endedByItself(@Nullable Throwable cause) {
    boolean early = !mayEnd;
    lost = early; // first of all: what follows may fail for the same reason
    try {
      whenLost.run();
    } finally {
      log.error(
          early
              ? "Thread {} has ended by itself: this process should end"
              : "Thread {} was to end, but has not come to the end of its work",
          name(),
          cause);
    }
  }

  /** Names of those that are lost. */
  public static List<String> lost(Stream<LoopThread> threads) {
    return threads.filter(LoopThread::lost).map(LoopThread::name).toList();
  }

  public String name() {
    return thread.getName();
  }

  /**
   * Starts it. Where no thread can be made, it is lost as well.
   *
   * @throws Error as the JVM says so
   */
  public void start() {
    try {
      thread.start();
    } catch (Error e) {
      endedByItself(e);
      throw e;
    }
  }

  /** From now on its end is no loss. To be called before what makes it end. */
  public void mayEnd() {
    mayEnd = true;
  }

  /** Whether it has ended although nobody has told it to. */
  public boolean lost() {
    return lost;
  }

  public boolean isAlive() {
    return thread.isAlive();
  }

  public void interrupt() {
    thread.interrupt();
  }

  /** Ends a wait of {@link LockSupport}. */
  public void unpark() {
    LockSupport.unpark(thread);
  }

  /** Waits for its end. */
  public void join(long millis) throws InterruptedException {
    thread.join(millis);
  }

  /**
   * Waits for its end.
   *
   * @param nanos by {@link System#nanoTime}; one that is over is no wait
   */
  public void joinUntil(long nanos) throws InterruptedException {
    thread.join(Math.max(1, TimeUnit.NANOSECONDS.toMillis(nanos - System.nanoTime())));
  }
}
