package dev.millpond.engine.worker;

import dev.millpond.api.AttemptStoppedException;
import dev.millpond.api.FatalJobException;
import dev.millpond.api.HandlerOptions.Executor;
import dev.millpond.api.JobView.JobError;
import dev.millpond.api.LeaseLostException;
import dev.millpond.engine.dispatch.KindPace;
import dev.millpond.engine.flush.Expired;
import dev.millpond.engine.flush.Portion.Cancelled;
import dev.millpond.engine.flush.Portion.End;
import dev.millpond.engine.flush.Portion.Failure;
import dev.millpond.engine.flush.Portion.Next;
import dev.millpond.engine.flush.Portion.Returned;
import dev.millpond.engine.flush.Portion.Success;
import dev.millpond.engine.lifecycle.store.PgArray;
import dev.millpond.engine.metrics.EngineMetrics.Step;
import dev.millpond.engine.submit.JobJson;
import dev.millpond.engine.worker.HandlerRegistry.Registration;
import dev.millpond.engine.worker.WeightedLanes.Chunk;
import dev.millpond.engine.worker.forked.ForkedExecutor;
import dev.millpond.engine.worker.forked.ForkedFailure;
import dev.millpond.engine.worker.store.ClaimStore.LoadedJob;
import dev.millpond.engine.worker.text.Texts;
import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;

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
  private final ChildDeaths deaths;
  private final int slots;
  private final int resultBytes;
  private final AtomicInteger busy = new AtomicInteger();
  private final AtomicInteger abandoned = new AtomicInteger();

  /** Slots whose handler runs in a child process. */
  private final AtomicInteger inChildren = new AtomicInteger();

  private final Runnable roomNews;
  private final ExecutorService virtual =
      Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("millpond-job-", 0).factory());
  private final ExecutorService platform =
      Executors.newCachedThreadPool(
          Thread.ofPlatform().daemon().name("millpond-job-p-", 0).factory());

  /**
   * @param children where kinds run that run forked
   * @param deaths decides about jobs that have killed one
   * @param resultBytes the most a result may have
   * @param roomNews called whenever a slot may have become free
   */
  Runner(
      WeightedLanes lanes,
      Desk desk,
      KindPace pace,
      ForkedExecutor children,
      ChildDeaths deaths,
      int slots,
      int resultBytes,
      Runnable roomNews) {
    this.lanes = lanes;
    this.desk = desk;
    this.pace = pace;
    this.children = children;
    this.deaths = deaths;
    this.slots = slots;
    this.resultBytes = resultBytes;
    this.roomNews = roomNews;
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
    roomNews.run();
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
      roomNews.run();
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
      endHeld(attempt, returned(attempt));
      ended.run();
    }
  }

  private <P> void runHeld(Attempt attempt, Registration<P> registration, Shift shift) {
    if (!attempt.begin(shift, desk.now())) {
      LoadedJob job = attempt.job();
      End unbegun =
          attempt.reason() == StopReason.CANCELLED
              ? new Cancelled(
                  job.id(), job.token(), job.hasState(), job.attempt(), PgArray.NULL, null)
              : returned(attempt);
      endHeld(attempt, unbegun);
    } else if (attempt.startedTooLate()) {
      endExpired(attempt);
    } else {
      desk.metrics().count(Step.STARTED, attempt.run().lane(), attempt.run().kind(), 1);
      run(attempt, registration);
    }
  }

  private static void endHeld(Attempt attempt, End end) {
    if (attempt.end()) {
      attempt.run().ended(attempt, attempt.reason() == StopReason.LOST ? null : end);
    }
  }

  private void run(Chunk chunk, Shift shift) {
    long started = System.nanoTime();
    int ran = 0;
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
        run(attempt, chunk.run().registration());
      }
    }
    if (ran > 0) {
      desk.metrics().count(Step.STARTED, chunk.run().lane(), chunk.run().kind(), ran);
      double micros = (System.nanoTime() - started) / 1_000.0;
      pace.sample(chunk.run().kind(), micros / ran, ran);
    }
  }

  private <P> void run(Attempt attempt, Registration<P> registration) {
    End end;
    try {
      Object result =
          attempt.forked()
              ? runForked(attempt)
              : registration.handler().run(attempt, payload(attempt, registration));
      end = succeeded(attempt, result);
    } catch (Throwable thrown) {
      end = failed(attempt, thrown);
    } finally {
      attempt.leaveThread();
    }
    desk.metrics().ran(attempt.run().lane(), attempt.runNanos());
    if (attempt.end()) {
      attempt.run().ended(attempt, attempt.reason() == StopReason.LOST ? null : end);
    }
  }

  private static <P> P payload(Attempt attempt, Registration<P> registration) {
    try {
      return JobJson.read(attempt.job().payload(), registration.payload());
    } catch (JacksonException e) {
      throw new FatalJobException(
          "the payload does not fit "
              + registration.payload().getName()
              + ": "
              + e.getOriginalMessage(),
          e);
    }
  }

  private End succeeded(Attempt attempt, @Nullable Object result) {
    LoadedJob job = attempt.job();
    String text;
    try {
      text = attempt.options().keepResult() ? JobJson.result(result, resultBytes) : null;
    } catch (IllegalArgumentException e) {
      return failure(attempt, "fatal", Texts.error(e), new Next.Dead("fatal"));
    }
    return new Success(
        job.id(),
        job.token(),
        job.hasState(),
        job.attempt(),
        attempt.startedMicros(),
        text,
        attempt.resultTtlMicros());
  }

  /** The job had expired: its handler is not called. */
  private static void endExpired(Attempt attempt) {
    attempt.leaveThread();
    if (attempt.end()) {
      LoadedJob job = attempt.job();
      End end =
          new Cancelled(
              job.id(),
              job.token(),
              job.hasState(),
              job.attempt(),
              PgArray.NULL,
              Expired.error(attempt.expiresAt()));
      attempt.run().ended(attempt, attempt.reason() == StopReason.LOST ? null : end);
    }
  }

  private End failed(Attempt attempt, Throwable thrown) {
    if (thrown instanceof ForkedFailure failure) {
      End end =
          failure.handedBack()
              ? returned(attempt)
              : failed(attempt, failure.verdict(), failure.error());
      return failure.death() != null && end instanceof Failure failed
          ? failure(
              attempt, failed.ended(), failed.error(), deaths.after(attempt.job(), failed.next()))
          : end;
    }
    return failed(attempt, thrown, null);
  }

  /**
   * @param known the error to be stored; null for that of what was thrown
   */
  private static End failed(Attempt attempt, Throwable thrown, @Nullable JobError known) {
    LoadedJob job = attempt.job();
    JobError error = known == null ? Texts.error(thrown) : known;
    boolean stopped =
        thrown instanceof InterruptedException
            || thrown instanceof AttemptStoppedException
            || thrown instanceof LeaseLostException;
    return switch (attempt.reason()) {
      case CANCELLED ->
          new Cancelled(
              job.id(), job.token(), job.hasState(), job.attempt(), attempt.startedMicros(), null);
      case SHUTDOWN -> returned(attempt);
      case TIMEOUT -> failure(attempt, "timed_out", thrown, error);
      case LOST, NONE ->
          failure(
              attempt,
              thrown instanceof FatalJobException && !stopped ? "fatal" : "failed",
              thrown,
              error);
    };
  }

  /** As if it had not begun. */
  static Returned returned(Attempt attempt) {
    LoadedJob job = attempt.job();
    return new Returned(job.id(), job.token(), job.hasState(), job.attempt());
  }

  private static Failure failure(Attempt attempt, String ended, Throwable thrown, JobError error) {
    Next next =
        attempt.policy().after(thrown, attempt.job().attempt(), ThreadLocalRandom.current());
    return failure(attempt, ended, error, next);
  }

  private static Failure failure(Attempt attempt, String ended, JobError error, Next next) {
    LoadedJob job = attempt.job();
    return new Failure(
        job.id(),
        job.token(),
        job.hasState(),
        job.attempt(),
        attempt.startedMicros(),
        ended,
        error,
        next);
  }

  /** Ends an attempt whose handler did not stop in time, whatever it does, and frees its slot. */
  static boolean expire(Attempt attempt) {
    if (!attempt.end()) {
      return false;
    }
    Duration limit = attempt.hardTimeout();
    JobError error = new JobError("dev.millpond.HardTimeout", "did not stop within " + limit, null);
    Next next =
        attempt
            .policy()
            .after(
                new IllegalStateException(), attempt.job().attempt(), ThreadLocalRandom.current());
    attempt.run().ended(attempt, failure(attempt, "timed_out", error, next));
    leave(attempt);
    return true;
  }

  /** Ends an attempt of a cancelled job whose handler did not stop in time. */
  static boolean cancel(Attempt attempt) {
    if (!attempt.end()) {
      return false;
    }
    LoadedJob job = attempt.job();
    End end =
        new Cancelled(
            job.id(), job.token(), job.hasState(), job.attempt(), attempt.startedMicros(), null);
    attempt.run().ended(attempt, end);
    leave(attempt);
    return true;
  }

  /** Nothing the handler does counts any more: its slot is free, and its process is killed. */
  private static void leave(Attempt attempt) {
    Shift shift = attempt.shift();
    if (shift != null) {
      shift.abandon();
    }
    attempt.stop(StopReason.LOST);
  }

  /** Gives back an attempt whose handler does not stop at the end of its process. */
  static void giveBack(Attempt attempt) {
    if (attempt.end()) {
      attempt.run().ended(attempt, returned(attempt));
      leave(attempt);
    }
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
