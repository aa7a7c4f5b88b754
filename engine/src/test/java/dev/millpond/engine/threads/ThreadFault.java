package dev.millpond.engine.threads;

import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.turbo.TurboFilter;
import ch.qos.logback.core.spi.FilterReply;
import java.util.Arrays;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.function.Supplier;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;
import org.slf4j.Marker;

/**
 * Ends one thread by an Error inside a library: when it next sends a statement, or logs anything.
 * The driver logs each message it sends, and a filter of a log may throw what it likes.
 */
public final class ThreadFault implements AutoCloseable {
  private static final Logger DRIVER = Logger.getLogger("org.postgresql.core.v3.QueryExecutorImpl");
  private static final LoggerContext LOGS = (LoggerContext) LoggerFactory.getILoggerFactory();

  private final Thread victim;
  private final TurboFilter logs =
      new TurboFilter() {
        @Override
        public FilterReply decide(
            @Nullable Marker marker,
            ch.qos.logback.classic.@Nullable Logger logger,
            ch.qos.logback.classic.@Nullable Level level,
            @Nullable String format,
            Object @Nullable [] parameters,
            @Nullable Throwable thrown) {
          strike();
          return FilterReply.NEUTRAL;
        }
      };
  private volatile boolean struck;

  private ThreadFault(Thread victim) {
    this.victim = victim;
  }

  /** Makes something whose threads are all of the group, so that they can be found among others. */
  public static <T> T in(ThreadGroup group, Supplier<T> maker) {
    FutureTask<T> made = new FutureTask<>(maker::get);
    Thread.ofPlatform().group(group).start(made);
    try {
      return made.get();
    } catch (InterruptedException | ExecutionException e) {
      throw new IllegalStateException(e);
    }
  }

  /** The thread of that name in a group. */
  public static Thread named(ThreadGroup group, String name) {
    Thread[] threads = new Thread[2 * group.activeCount()];
    int count = group.enumerate(threads);
    return Arrays.stream(threads, 0, count)
        .filter(thread -> thread.getName().equals(name))
        .findFirst()
        .orElseThrow();
  }

  /** From now on until the close. */
  public static ThreadFault of(Thread victim) {
    ThreadFault fault = new ThreadFault(victim);
    DRIVER.setFilter(record -> {
      fault.strike();
      return false;
    });
    DRIVER.setLevel(Level.FINEST);
    LOGS.addTurboFilter(fault.logs);
    return fault;
  }

  private void strike() {
    if (Thread.currentThread().equals(victim) && !struck) {
      struck = true;
      throw new NoClassDefFoundError("made by a test");
    }
  }

  @Override
  public void close() {
    LOGS.getTurboFilterList().remove(logs);
    DRIVER.setLevel(null);
    DRIVER.setFilter(null);
  }
}
