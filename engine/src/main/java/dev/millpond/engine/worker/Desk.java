package dev.millpond.engine.worker;

import dev.millpond.api.JobContext.TransactionalWork;
import dev.millpond.api.LeaseLostException;
import dev.millpond.engine.flush.Portion;
import dev.millpond.engine.flush.Portion.Cancelled;
import dev.millpond.engine.flush.Portion.End;
import dev.millpond.engine.flush.Portion.Failure;
import dev.millpond.engine.flush.Portion.Next;
import dev.millpond.engine.flush.Portion.Paused;
import dev.millpond.engine.flush.Portion.Returned;
import dev.millpond.engine.flush.Portion.Success;
import dev.millpond.engine.flush.Portion.Written;
import dev.millpond.engine.flush.Writer;
import dev.millpond.engine.metrics.EngineMetrics;
import dev.millpond.engine.metrics.EngineMetrics.Step;
import dev.millpond.engine.trace.CommitSpan;
import dev.millpond.engine.worker.store.UserTransaction;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.Collection;
import java.util.EnumMap;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** The runs that are watched, and the way of their ends to the writer. Thread-safe. */
final class Desk {
  private static final long DISSOLVE_WAIT_SECONDS = 30;

  private final Writer writer;
  private final EngineMetrics metrics;
  private final InstantSource clock;
  private final UserTransaction userTransaction;
  private final RunTraces traces;
  private final Map<UUID, BatchRun> runs = new ConcurrentHashMap<>();
  private volatile @Nullable Thread resting;
  private final Set<Attempt> tracked = ConcurrentHashMap.newKeySet();

  /**
   * @param clock the database's, as far as known
   */
  Desk(
      Writer writer,
      EngineMetrics metrics,
      RunTraces traces,
      InstantSource clock,
      UserTransaction userTransaction) {
    this.writer = writer;
    this.metrics = metrics;
    this.traces = traces;
    this.clock = clock;
    this.userTransaction = userTransaction;
  }

  Instant now() {
    return clock.instant();
  }

  long nowMicros() {
    return ChronoUnit.MICROS.between(Instant.EPOCH, clock.instant());
  }

  EngineMetrics metrics() {
    return metrics;
  }

  RunTraces traces() {
    return traces;
  }

  /** Whether a batch is at work here. */
  boolean runs(UUID batchId) {
    return runs.containsKey(batchId);
  }

  /** Watches a run from now on; false when its batch is at work here already. */
  boolean open(BatchRun run) {
    boolean fresh = runs.putIfAbsent(run.claimed().batch().id(), run) == null;
    Thread watching = resting;
    if (watching != null) {
      LockSupport.unpark(watching);
    }
    return fresh;
  }

  /** Waits on the thread of the watch while there is nothing to watch, or until interrupted. */
  void awaitRuns() {
    resting = Thread.currentThread();
    while (idle() && !Thread.currentThread().isInterrupted()) {
      LockSupport.park(this);
    }
    resting = null;
  }

  void over(BatchRun run) {
    runs.remove(run.claimed().batch().id(), run);
  }

  boolean idle() {
    return runs.isEmpty() && tracked.isEmpty();
  }

  Collection<BatchRun> runs() {
    return runs.values();
  }

  /** Refreshes this attempt's state row with each beat from now on. */
  void track(Attempt attempt) {
    tracked.add(attempt);
  }

  void untrack(Attempt attempt) {
    tracked.remove(attempt);
  }

  Set<Attempt> tracked() {
    return tracked;
  }

  void write(Portion portion) {
    writer.write(portion);
  }

  /** Counts bytes of ends that wait to be handed to the writer; less than zero: no longer. */
  void gather(long bytes) {
    writer.gather(bytes);
  }

  /** Counts what a committed portion says. */
  void count(Portion portion, Written news) {
    EnumMap<Step, Integer> steps = new EnumMap<>(Step.class);
    for (End end : portion.ends()) {
      if (news.gone() || news.stale().contains(end.jobId())) {
        steps.merge(Step.STALE, 1, Integer::sum);
        continue;
      }
      switch (end) {
        case Success ignored -> steps.merge(Step.COMPLETED, 1, Integer::sum);
        case Cancelled ignored -> steps.merge(Step.CANCELLED, 1, Integer::sum);
        case Returned ignored -> {}
        case Paused ignored -> {}
        case Failure failure -> {
          steps.merge(Step.FAILED, 1, Integer::sum);
          steps.merge(
              failure.next() instanceof Next.Retry ? Step.RETRIED : Step.DEAD, 1, Integer::sum);
        }
      }
    }
    steps.forEach((step, jobs) -> metrics.count(step, portion.lane(), portion.kind(), jobs));
  }

  /**
   * Completes an attempt in the handler's own transaction.
   *
   * @param dissolved completes when the attempt has a state row, its gate
   */
  void completeIn(Attempt attempt, TransactionalWork work, CompletableFuture<Void> dissolved)
      throws Exception {
    attempt.checkStop();
    try {
      dissolved.get(DISSOLVE_WAIT_SECONDS, TimeUnit.SECONDS);
    } catch (TimeoutException | ExecutionException e) {
      throw new LeaseLostException(
          "job "
              + attempt.jobId()
              + " could not be tracked within "
              + DISSOLVE_WAIT_SECONDS
              + " s");
    }
    attempt.checkStop();
    if (!attempt.end()) {
      throw new LeaseLostException("attempt of job " + attempt.jobId() + " has ended already");
    }
    CommitSpan span = attempt.ownCommit();
    UserTransaction.Result result;
    try {
      result =
          userTransaction.complete(
              attempt.job(),
              attempt.options(),
              attempt.run().lane(),
              attempt.startedMicros(),
              work);
    } catch (Exception | Error e) {
      // Rolled back: the attempt goes on and may fail, or try again.
      span.failed(e);
      attempt.reopen();
      throw e;
    }
    if (attempt.options().webhook() != null) {
      writer.dueSoon(); // its call, if it was committed
    }
    // Without an answer it is given back. If the commit happened its state row is gone, and this
    // counts for nothing; if it hangs, this waits for its locks.
    attempt
        .run()
        .ended(attempt, result == UserTransaction.Result.UNKNOWN ? Ends.returned(attempt) : null);
    switch (result) {
      case COMMITTED -> {
        span.end(true);
        metrics.count(Step.COMPLETED, attempt.run().lane(), attempt.run().kind(), 1);
      }
      case LOST -> {
        span.end(false);
        metrics.count(Step.STALE, attempt.run().lane(), attempt.run().kind(), 1);
        attempt.stop(StopReason.LOST);
        throw new LeaseLostException(
            "job " + attempt.jobId() + " is somebody else's by now; nothing was written");
      }
      case UNKNOWN -> {
        LeaseLostException unknown =
            new LeaseLostException(
                "the commit of job " + attempt.jobId() + " got no answer; it may have happened");
        span.failed(unknown);
        throw unknown;
      }
    }
  }
}
