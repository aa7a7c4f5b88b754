package dev.millpond.engine.admission;

import dev.millpond.engine.admission.WaitingRoom.Waiting;
import dev.millpond.engine.threads.LoopThread;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Refuses those whose time in the waiting room is up, and gives the places of those free who are
 * gone. Talks to nobody else. Thread-safe.
 */
final class Departures implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Departures.class);
  private static final long LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(20);
  private static final long END_MILLIS = 2_000;

  private final Admission admission;
  private final WaitingRoom room;
  private final LoopThread thread;
  private volatile boolean resting;
  private volatile boolean closing;

  Departures(Admission admission, WaitingRoom room) {
    this.admission = admission;
    this.room = room;
    this.thread = new LoopThread("millpond-departures", true, this::loop, admission::refuseAll);
  }

  void start() {
    thread.start();
  }

  /** Somebody has come in. */
  void came() {
    if (resting) {
      resting = false;
      thread.unpark();
    }
  }

  private void loop() {
    while (!closing) {
      LockSupport.parkNanos(this, LOOK_NANOS);
      if (room.taken() == 0) {
        rest();
      }
      long now = System.nanoTime();
      for (Waiting who : room.all()) {
        look(who, now);
      }
    }
  }

  private void look(Waiting who, long now) {
    boolean leaves = !who.ticket().waitsAt(now) || who.ticket().over();
    try {
      leaves |= who.ticket().gone();
    } catch (RuntimeException e) {
      log.error("whether a submit is still wanted, its caller could not say", e);
      leaves = true;
    }
    if (leaves && room.leave(who)) {
      admission.refuse(who.ticket(), who.queue());
    }
  }

  /** Waits while nobody waits. */
  private void rest() {
    resting = true;
    while (resting && !closing && room.taken() == 0) {
      LockSupport.park(this);
    }
    resting = false;
  }

  LoopThread thread() {
    return thread;
  }

  @Override
  public void close() {
    thread.mayEnd();
    closing = true;
    thread.unpark();
    try {
      thread.join(END_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
