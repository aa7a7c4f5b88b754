package dev.millpond.engine.worker;

import dev.millpond.api.HandlerOptions.Executor;
import dev.millpond.engine.dispatch.KindPace;
import dev.millpond.engine.flush.Portion.End;
import dev.millpond.engine.metrics.EngineMetrics.Step;
import dev.millpond.engine.submit.JobJson;
import dev.millpond.engine.trace.RunSpan;
import dev.millpond.engine.worker.HandlerRegistry.Registration;
import dev.millpond.engine.worker.WeightedLanes.Chunk;
import dev.millpond.engine.worker.forked.ForkedExecutor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Runs attempts in a bounded number of slots. A slot works on as long as there is work; it is not
 * bound to a thread, since a kind may want a virtual or a platform one. A thread that a hard
 * timeout has given up keeps running, but its slot is free at once; it is counted until it ends.
 */
final class Runner {
  private final WeightedLanes lanes;
  private final Desk desk;
  private final KindPace pace;
  private final ForkedExecutor children;
  private final Ends ends;
  private final int slots;
  private final AtomicInteger busy = new AtomicInteger();
  private final AtomicInteger abandoned = new AtomicInteger();

  /** Slots whose handler runs in a child process. */
  private final AtomicInteger inChildren = new AtomicInteger();

  private final int abandonedMax;

  /** At most one permit: a slot may have become free. */
  private final Semaphore freed = new Semaphore(0);

  private final ExecutorService virtual =
      Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("millpond-job-", 0).factory());
  private final ExecutorService platform =
      Executors.newCachedThreadPool(
          Thread.ofPlatform().daemon().name("millpond-job-p-", 0).factory());

  /**
   * @param children where kinds run that run forked
   * @param ends what attempts come to
   * @param abandonedMax threads that may be given up; beyond it the process should end
   */
  Runner(
      WeightedLanes lanes,
      Desk desk,
      KindPace pace,
      ForkedExecutor children,
      Ends ends,
      int slots,
      int abandonedMax) {
    this.lanes = lanes;
    this.desk = desk;
    this.pace = pace;
    this.children = children;
    this.ends = ends;
    this.slots = slots;
    this.abandonedMax = abandonedMax;
  }

  /** A slot's hold on a thread, until it is done or given up. */
  final class Shift {
    private final AtomicBoolean over = new AtomicBoolean();

    /** Frees the slot of a thread that does not come back. */
    void abandon() {
      if (over.compareAndSet(false, true)) {
        abandoned.incrementAndGet();
        leaveSlot();
      }
    }
  }

  int slots() {
    return slots;
  }

  int busy() {
    return busy.get();
  }

  int free() {
    return Math.max(0, slots - busy.get());
  }

  /** Threads that run on after the hard timeout of their attempt. */
  int abandoned() {
    return abandoned.get();
  }

  /** Whether so many threads were given up that the process should end. */
  boolean wornOut() {
    return abandoned() > abandonedMax;
  }

  /** Waits until a slot may have become free. */
  void awaitFree(long millis) {
    try {
      if (freed.tryAcquire(millis, TimeUnit.MILLISECONDS)) {
        freed.drainPermits();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void tellFree() {
    if (freed.availablePermits() == 0) {
      freed.release();
    }
  }

  /** Starts slots for ready work. */
  void pump() {
    while (takeSlot()) {
      Chunk chunk = lanes.take();
      if (chunk == null) {
        busy.decrementAndGet();
        // Work may have come between the look and the release; then another slot has to look.
        if (!lanes.gives()) {
          return;
        }
        continue;
      }
      start(chunk);
    }
  }

  private boolean takeSlot() {
    while (true) {
      int now = busy.get();
      if (now >= slots) {
        return false;
      }
      if (busy.compareAndSet(now, now + 1)) {
        return true;
      }
    }
  }

  private void leaveSlot() {
    busy.decrementAndGet();
    pump();
    tellFree();
  }

  private void start(Chunk chunk) {
    try {
      executor(chunk.run()).execute(() -> work(chunk));
    } catch (RuntimeException | Error e) { // no thread to be had: its jobs are given back after S
      busy.decrementAndGet();
      throw e;
    }
  }

  private ExecutorService executor(BatchRun run) {
    return switch (threads(run)) {
      case VIRTUAL -> virtual;
      case PLATFORM -> platform;
      // Waits for its child. Not virtual: handlers that compute must not delay a kill.
      case FORKED -> platform;
    };
  }

  private static Executor threads(BatchRun run) {
    return run.registration().options().executor();
  }

  private void work(Chunk first) {
    Shift shift = new Shift();
    Executor kindOfThread = threads(first.run());
    Chunk chunk = first;
    while (chunk != null) {
      run(chunk, shift);
      if (shift.over.get()) {
        abandoned.decrementAndGet();
        return;
      }
      tellFree();
      chunk = lanes.take();
      if (chunk != null && threads(chunk.run()) != kindOfThread) {
        if (!shift.over.compareAndSet(false, true)) {
          abandoned.decrementAndGet();
          busy.incrementAndGet(); // given up in this very moment: the chunk needs a slot of its own
        }
        start(chunk);
        return;
      }
    }
    if (shift.over.compareAndSet(false, true)) {
      leaveSlot();
    } else {
      abandoned.decrementAndGet();
    }
  }

  private @Nullable Object runForked(Attempt attempt) throws Exception {
    inChildren.incrementAndGet();
    try {
      return children.run(attempt);
    } finally {
      inChildren.decrementAndGet();
    }
  }

  /** Whether no handler runs in this process, none that was given up included. */
  boolean empty() {
    return busy.get() <= inChildren.get() && abandoned.get() == 0;
  }

  /**
   * Runs an attempt that is held, in a slot of its own, one more than there are if need be.
   *
   * @param ended told once when its thread is done with it
   */
  void runHeld(Attempt attempt, Runnable ended) {
    Registration<?> registration = attempt.run().registration();
    busy.incrementAndGet();
    try {
      executor(attempt.run())
          .execute(() -> {
            Shift shift = new Shift();
            try {
              runHeld(attempt, registration, shift);
            } finally {
              ended.run();
              if (shift.over.compareAndSet(false, true)) {
                leaveSlot();
              } else {
                abandoned.decrementAndGet();
              }
            }
          });
    } catch (RuntimeException | Error e) { // no thread to be had
      busy.decrementAndGet();
      end(attempt, Ends.returned(attempt));
      ended.run();
    }
  }

  private <P> void runHeld(Attempt attempt, Registration<P> registration, Shift shift) {
    if (!attempt.begin(shift, desk.now())) {
      end(attempt, Ends.unbegun(attempt));
    } else if (attempt.startedTooLate()) {
      endExpired(attempt);
    } else {
      countStarted(attempt.run(), 1);
      run(attempt, registration);
    }
  }

  /** The first end of an attempt counts; that of a lost one does not. */
  private static void end(Attempt attempt, End end) {
    if (attempt.end()) {
      boolean lost = attempt.reason() == StopReason.LOST;
      if (!lost) {
        attempt.awaitCommit();
      }
      attempt.run().ended(attempt, lost ? null : end);
    }
  }

  private void run(Chunk chunk, Shift shift) {
    long started = System.nanoTime();
    int ran = 0;
    boolean alone = chunk.attempts().size() == 1; // it may run for long, and is counted first
    for (Attempt attempt : chunk.attempts()) {
      if (shift.over.get()) {
        break; // what is left is given back when the batch is dissolved
      }
      if (attempt.start(shift, desk.now())) {
        if (attempt.startedTooLate()) {
          endExpired(attempt);
          continue;
        }
        ran++;
        if (alone) {
          countStarted(chunk.run(), 1);
        }
        run(attempt, chunk.run().registration());
      }
    }
    if (ran > 0) {
      if (!alone) {
        countStarted(chunk.run(), ran);
      }
      double micros = (System.nanoTime() - started) / 1_000.0;
      pace.sample(chunk.run().kind(), micros / ran, ran);
    }
  }

  private void countStarted(BatchRun run, int attempts) {
    desk.metrics().count(Step.STARTED, run.lane(), run.kind(), attempts);
  }

  private <P> void run(Attempt attempt, Registration<P> registration) {
    End end;
    Throwable failure = null;
    CurrentJob.take(attempt);
    RunSpan span = desk.traces().begin(attempt);
    try {
      Object result =
          attempt.forked()
              ? runForked(attempt)
              : registration
                  .handler()
                  .run(attempt, JobJson.payload(attempt.job().payload(), registration.payload()));
      end = ends.succeeded(attempt, result);
    } catch (Throwable thrown) {
      failure = thrown;
      end = ends.failed(attempt, thrown);
    } finally {
      attempt.leaveThread();
      CurrentJob.putDown();
    }
    span.end(failure);
    desk.metrics().ran(attempt.run().lane(), attempt.run().kind(), attempt.runNanos());
    end(attempt, end);
  }

  /** The job had expired: its handler is not called. */
  private static void endExpired(Attempt attempt) {
    attempt.leaveThread();
    end(attempt, Ends.expired(attempt));
  }

  /** Ends an attempt whose handler did not stop in time, whatever it does, and frees its slot. */
  static boolean expire(Attempt attempt) {
    return leave(attempt, Ends.overtime(attempt));
  }

  /** Ends an attempt of a cancelled job whose handler did not stop in time. */
  static boolean cancel(Attempt attempt) {
    return leave(attempt, Ends.cancelled(attempt));
  }

  /** Gives back an attempt whose handler does not stop at the end of its process. */
  static void giveBack(Attempt attempt) {
    leave(attempt, Ends.returned(attempt));
  }

  /** Nothing the handler does counts any more: its slot is free, and its process is killed. */
  private static boolean leave(Attempt attempt, End end) {
    if (!attempt.end()) {
      return false;
    }
    attempt.run().ended(attempt, end);
    Shift shift = attempt.shift();
    if (shift != null) {
      shift.abandon();
    }
    attempt.stop(StopReason.LOST);
    return true;
  }

  /** Lets no new work start; threads that run on do so as daemons. */
  boolean shutdown(long millis) {
    virtual.shutdown();
    platform.shutdown();
    try {
      return virtual.awaitTermination(millis, TimeUnit.MILLISECONDS)
          && platform.awaitTermination(millis, TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }
}
