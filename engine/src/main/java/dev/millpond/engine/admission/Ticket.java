package dev.millpond.engine.admission;

import dev.millpond.api.SubmitResult.Refused;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;

/**
 * A submit before the gates: its place in the order of arrival, what it asks for, and how long it
 * waits for room. Kept until it is written or refused, however often it is turned away. Its methods
 * are called by the threads of lanes and gates: they may not block, or run code of users.
 * Thread-safe.
 */
public abstract class Ticket {
  private static final AtomicLong ARRIVALS = new AtomicLong();

  private final long number = ARRIVALS.incrementAndGet();
  private final List<Need> needs;
  private final int weight;
  private final long waitUntilNanos;
  private final BooleanSupplier gone;
  private volatile boolean passes;

  /**
   * @param weight of its jobs, roughly, in bytes
   * @param wait for room, from now on
   * @param gone whether nobody waits for its answer any more; asked now and then
   */
  protected Ticket(List<Need> needs, int weight, Duration wait, BooleanSupplier gone) {
    this.needs = needs;
    this.weight = weight;
    this.waitUntilNanos = System.nanoTime() + wait.toNanos();
    this.gone = gone;
  }

  /** Whether its caller has an answer already, so that nothing is left to do. */
  protected abstract boolean over();

  /** Called when it has to wait: from now on the gates see to it that it is answered. */
  protected abstract void waits();

  /** Hands it to its lane; false when there is no room there now. */
  protected abstract boolean enter();

  /** Answers it: nothing was written. */
  protected abstract void refuse(Refused refused);

  final long number() {
    return number;
  }

  final List<Need> needs() {
    return needs;
  }

  final int weight() {
    return weight;
  }

  /** Until when it waits for room, by {@link System#nanoTime}. */
  public final long waitUntilNanos() {
    return waitUntilNanos;
  }

  final boolean waitsAt(long nanos) {
    return waitUntilNanos - nanos > 0;
  }

  /** Whether its caller is there no more. */
  final boolean gone() {
    return gone.getAsBoolean();
  }

  /** It has no new jobs, since its keys are known: no gate stops it. */
  public final void pass() {
    passes = true;
  }

  final boolean mayPass() {
    return passes;
  }
}
