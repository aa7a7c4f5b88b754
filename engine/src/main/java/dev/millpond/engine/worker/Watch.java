package dev.millpond.engine.worker;

import dev.millpond.engine.threads.LoopThread;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Watches what runs: dissolves batches at the settle time, writes ends of slow batches early, tells
 * handlers of their soft timeout and ends attempts at the hard one, and starts what had to wait
 * until ends were written. A platform thread of its own: handlers that compute must not delay it.
 */
final class Watch {
  private static final Logger log = LoggerFactory.getLogger(Watch.class);
  private static final long TICK_MILLIS = 20;

  /** A batch that takes longer than this has its first ends written before its last. */
  private static final long PART_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

  /**
   * While nothing runs. Not longer than a part of a batch may take: whatever has started meanwhile
   * is first looked at when that is due.
   */
  private static final long IDLE_TICK_MILLIS = TimeUnit.NANOSECONDS.toMillis(PART_NANOS);

  /** After so many it sleeps until it is woken up, which is dear for the thread that does so. */
  private static final int IDLE_TICKS = 20;

  private final Desk desk;
  private final long settleNanos;
  private final Duration cancelGrace;
  private final Worker worker;
  private final LoopThread thread = new LoopThread("millpond-watch", this::loop);
  private volatile boolean stopped;

  /**
   * @param cancelGrace how long a forked handler may take to stop once its job is cancelled
   */
  Watch(Desk desk, Duration settle, Duration cancelGrace, Worker worker) {
    this.desk = desk;
    this.settleNanos = settle.toNanos();
    this.cancelGrace = cancelGrace;
    this.worker = worker;
  }

  void start() {
    thread.start();
  }

  LoopThread thread() {
    return thread;
  }

  private void loop() {
    int idleTicks = 0;
    while (!stopped) {
      try {
        tick();
      } catch (RuntimeException e) {
        log.error("watching jobs failed in a way it must not", e);
      }
      idleTicks = desk.idle() ? idleTicks + 1 : 0;
      if (idleTicks > IDLE_TICKS) {
        desk.awaitRuns();
        idleTicks = 0;
      }
      worker.awaitStop(idleTicks > 0 ? IDLE_TICK_MILLIS : TICK_MILLIS);
    }
  }

  private void tick() {
    for (BatchRun run : desk.runs()) {
      long age = run.ageNanos();
      if (run.over()) {
        desk.over(run);
      } else if (age > settleNanos) {
        if (!run.dissolved()) {
          run.dissolve(false);
        }
      } else if (age > PART_NANOS) {
        run.flushPart();
      }
      run.attempts().forEach(this::checkTime);
    }
    desk.tracked().forEach(this::checkTime);
    worker.goOn();
  }

  private void checkTime(Attempt attempt) {
    if (attempt.phase() != Attempt.Phase.STARTED) {
      return;
    }
    if (attempt.hardTimeoutPassed()) {
      if (Runner.expire(attempt)) {
        log.warn(
            "job {} ({}) did not stop within its hard timeout of {}; its {}",
            attempt.jobId(),
            attempt.kind(),
            attempt.hardTimeout(),
            attempt.forked() ? "process is killed" : "thread is abandoned");
      }
    } else if (attempt.forked() && attempt.cancelledFor(cancelGrace)) {
      if (Runner.cancel(attempt)) {
        log.info(
            "job {} ({}) was cancelled and did not stop within {}; its process is killed",
            attempt.jobId(),
            attempt.kind(),
            cancelGrace);
      }
    } else if (attempt.softTimeoutPassed()) {
      attempt.stop(StopReason.TIMEOUT);
    }
  }

  void stop() {
    thread.mayEnd();
    stopped = true;
    thread.interrupt();
  }
}
