package dev.millpond.engine.crash;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;

/** What is to happen at one request that comes through a {@link FaultProxy}. Thread-safe. */
final class Fault {
  private final Predicate<Exchange> where;
  private final int nth;
  private final Moment moment;
  private final Action action;
  private final AtomicInteger seen = new AtomicInteger();
  private final CountDownLatch struck = new CountDownLatch(1);

  /** Done by the thread that holds the request back. */
  @FunctionalInterface
  interface Action {
    /** Whether what is held back may go on its way. */
    boolean passes(Link link);
  }

  /**
   * @param where of the requests, at {@link Moment#UNANSWERED} with their answers
   * @param nth of these, from 1
   */
  Fault(Predicate<Exchange> where, int nth, Moment moment, Action action) {
    this.where = where;
    this.nth = nth;
    this.moment = moment;
    this.action = action;
  }

  /** Strikes nowhere: counts answered requests. */
  static Fault none(Predicate<Exchange> where) {
    return new Fault(where, Integer.MAX_VALUE, Moment.UNANSWERED, link -> true);
  }

  /** Strikes if this is its request; whether the request may go on. */
  boolean passes(Exchange exchange, Moment now, Link link) {
    if (now != moment || !where.test(exchange) || seen.incrementAndGet() != nth) {
      return true;
    }
    try {
      return action.passes(link);
    } finally {
      struck.countDown();
    }
  }

  /** Requests that it was looking for, so far. */
  int seen() {
    return seen.get();
  }

  /** Whether it has struck, and its action is over. */
  boolean struck() {
    return struck.getCount() == 0;
  }
}
