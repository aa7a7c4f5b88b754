package dev.millpond.faults;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;

/**
 * What is to happen at one request that comes through a {@link FaultProxy}. It strikes once.
 * Thread-safe.
 */
public final class Fault {
  private static final Duration KILL_PATIENCE = Duration.ofSeconds(5);

  private final Predicate<Exchange> where;
  private final int nth;
  private final Moment moment;
  private final Action action;
  private final AtomicInteger seen = new AtomicInteger();
  private final CountDownLatch struck = new CountDownLatch(1);

  /** Done by the thread that holds the request back. */
  @FunctionalInterface
  public interface Action {
    /** Whether what is held back may go on its way. */
    boolean passes(Link link);

    /** Ends the connection this way; what is held back is lost with it. */
    static Action end(Ending how) {
      return link -> {
        link.end(how);
        return false;
      };
    }

    /** Ends a process as kill -9 does, and its connection with it. */
    static Action kill(ProcessHandle process) {
      return link -> {
        process.destroyForcibly();
        try {
          var unused = process.onExit().get(KILL_PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException | ExecutionException e) {
          throw new IllegalStateException("process " + process.pid() + " does not die", e);
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
        }
        link.end(Ending.CLOSED);
        return false;
      };
    }
  }

  /**
   * A fault that waits for its request.
   *
   * @param where of the requests, at {@link Moment#UNANSWERED} with their answers
   * @param nth of these, from 1
   */
  public Fault(Predicate<Exchange> where, int nth, Moment moment, Action action) {
    this.where = where;
    this.nth = nth;
    this.moment = moment;
    this.action = action;
  }

  /** Strikes nowhere: counts answered requests. */
  public static Fault none(Predicate<Exchange> where) {
    return new Fault(where, Integer.MAX_VALUE, Moment.UNANSWERED, link -> true);
  }

  /** The next request from here on. */
  public static Fault next(Predicate<Exchange> where, Moment moment, Action action) {
    return new Fault(where, 1, moment, action);
  }

  /** Whether this is its request; counts it. */
  boolean strikesAt(Exchange exchange, Moment now) {
    return now == moment && where.test(exchange) && seen.incrementAndGet() == nth;
  }

  /** Whether the request may go on. */
  boolean strike(Link link) {
    try {
      return action.passes(link);
    } finally {
      struck.countDown();
    }
  }

  /** Requests that it was looking for, so far. */
  public int seen() {
    return seen.get();
  }

  /** Whether it has struck, and its action is over. */
  public boolean struck() {
    return struck.getCount() == 0;
  }

  /** Waits until it has struck; whether it has. */
  public boolean awaitStruck(Duration patience) throws InterruptedException {
    return struck.await(patience.toNanos(), TimeUnit.NANOSECONDS);
  }
}
