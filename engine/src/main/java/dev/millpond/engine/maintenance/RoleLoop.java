package dev.millpond.engine.maintenance;

import dev.millpond.engine.threads.LoopThread;
import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/**
 * A role on a thread of its own: one turn after the other, each of which says how long to wait for
 * the next. A role that has nothing to do until others say so rests; while it may not run it stands
 * by. Both end at once when it is woken, and are bounded, since a wake-up may be lost to a fault.
 */
final class RoleLoop {
  /** Of a role that may not run. */
  private static final Duration STAND_BY = Duration.ofSeconds(10);

  /** What a role does, and how long it waits then. */
  interface Turn {
    Wait run();
  }

  /**
   * How long to wait for the next turn.
   *
   * @param rests whether there is nothing to do until somebody finds that there is
   */
  record Wait(Duration time, boolean rests) {
    static Wait of(Duration time) {
      return new Wait(time, false);
    }

    static Wait rest(Duration atMost) {
      return new Wait(atMost, true);
    }
  }

  private final LoopThread thread;
  private final BooleanSupplier mayRun;
  private final Turn turn;
  private final Semaphore news = new Semaphore(0);
  private volatile boolean rests;
  private volatile boolean standsBy;
  private volatile boolean stopped;

  /**
   * @param turn must not throw
   * @param lost called when its thread has ended by itself
   */
  RoleLoop(String name, BooleanSupplier mayRun, Turn turn, Runnable lost) {
    this.mayRun = mayRun;
    this.turn = turn;
    this.thread = new LoopThread("millpond-" + name, true, this::loop, lost);
  }

  void start() {
    thread.start();
  }

  private void loop() {
    while (!stopped) {
      if (mayRun.getAsBoolean()) {
        Wait wait = turn.run();
        rests = wait.rests();
        pause(wait.time());
        rests = false;
      } else {
        standsBy = true;
        if (!mayRun.getAsBoolean()) { // it may have been allowed to just now, and not been woken
          pause(STAND_BY);
        }
        standsBy = false;
      }
    }
  }

  private void pause(Duration wait) {
    try {
      if (news.tryAcquire(wait.toNanos(), TimeUnit.NANOSECONDS)) {
        news.drainPermits();
      }
    } catch (InterruptedException e) {
      stopped = true;
    }
  }

  /** Has it take its next turn now. */
  void wake() {
    if (news.availablePermits() == 0) {
      news.release();
    }
  }

  /** Wakes it where it rests: there is something to do. */
  void work() {
    if (rests) {
      wake();
    }
  }

  /** Wakes it where it stands by: it may run. */
  void allowed() {
    if (standsBy) {
      wake();
    }
  }

  /** Ends it after its turn. */
  void stop() {
    thread.mayEnd(); // before: whoever ends because of this is no lost thread
    stopped = true;
    wake();
  }

  LoopThread thread() {
    return thread;
  }

  /**
   * Waits for its end.
   *
   * @param nanos by {@link System#nanoTime}
   */
  void joinUntil(long nanos) throws InterruptedException {
    thread.joinUntil(nanos);
  }
}
