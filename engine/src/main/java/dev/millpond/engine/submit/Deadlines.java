package dev.millpond.engine.submit;

import dev.millpond.engine.flush.SubmitWork;
import dev.millpond.engine.threads.LoopThread;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * Gives up submits whose time is up. All have the same time, so the oldest is always the first; as
 * bounded as the writer's own queue, since what is done is dropped at the next look. Should its
 * thread be lost, each has a timer of the JDK's.
 */
final class Deadlines implements AutoCloseable {
  private static final long LOOK_MILLIS = 50;

  /** After so many it sleeps until it is woken up, which is dear for the caller that does so. */
  private static final int IDLE_LOOKS = 40;

  private record Entry(SubmitWork work, long deadlineNanos) {
    /** A submit that waits for room, or has waited, has another deadline. */
    boolean counts() {
      return !work.done().isDone() && work.hasDeadline(deadlineNanos);
    }

    void giveUp() {
      if (counts()) {
        work.giveUp();
      }
    }
  }

  private final Queue<Entry> entries = new ConcurrentLinkedQueue<>();
  private final LoopThread thread =
      new LoopThread("millpond-deadlines", true, this::loop, this::handOver);
  private volatile boolean resting;
  private volatile boolean closed;

  void start() {
    thread.start();
  }

  void add(SubmitWork work, long deadlineNanos) {
    work.deadline(deadlineNanos);
    entries.add(new Entry(work, deadlineNanos));
    if (thread.lost()) {
      handOver();
    } else if (resting) {
      resting = false;
      thread.unpark();
    }
  }

  private void handOver() {
    for (Entry entry = entries.poll(); entry != null; entry = entries.poll()) {
      long left = entry.deadlineNanos() - System.nanoTime();
      CompletableFuture.delayedExecutor(left, TimeUnit.NANOSECONDS).execute(entry::giveUp);
    }
  }

  LoopThread thread() {
    return thread;
  }

  private void loop() {
    int idleLooks = 0;
    while (!closed || !entries.isEmpty()) {
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(LOOK_MILLIS));
      idleLooks = entries.isEmpty() ? idleLooks + 1 : 0;
      if (idleLooks > IDLE_LOOKS) {
        rest();
        idleLooks = 0;
      }
      long now = System.nanoTime();
      for (Entry first = entries.peek(); first != null; first = entries.peek()) {
        if (first.counts()) {
          if (now - first.deadlineNanos() < 0) {
            break;
          }
          first.giveUp();
        }
        entries.poll();
      }
    }
  }

  /** Waits while nobody waits for anything. */
  private void rest() {
    resting = true;
    while (resting && !closed && entries.isEmpty()) {
      LockSupport.park(this);
    }
    resting = false;
  }

  /** Takes no notice of what is still open: that is given up at its time. */
  @Override
  public void close() {
    thread.mayEnd();
    closed = true;
    thread.unpark();
  }
}
