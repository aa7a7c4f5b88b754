package dev.millpond.engine.flush;

import dev.millpond.api.UnavailableException;
import dev.millpond.engine.admission.Admission;
import dev.millpond.engine.admission.Ticket;
import dev.millpond.engine.dispatch.BatchMaker;
import dev.millpond.engine.dispatch.KindPace;
import dev.millpond.engine.dispatch.Lane;
import dev.millpond.engine.dispatch.Ways;
import dev.millpond.engine.flush.Portion.Written;
import dev.millpond.engine.flush.store.ColdLane;
import dev.millpond.engine.flush.store.HotLane;
import dev.millpond.engine.flush.store.WriterConnection;
import dev.millpond.engine.lifecycle.store.Pg;
import dev.millpond.engine.metrics.EngineMetric;
import dev.millpond.engine.metrics.EngineMetrics;
import dev.millpond.engine.metrics.EngineMetrics.Step;
import dev.millpond.engine.threads.LoopThread;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a node has to write, committed in groups. Two lanes, so that a row that has to wait for a
 * stranger's lock or key never holds up the plain ones (rule R16). Thread-safe.
 */
public final class Writer implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Writer.class);
  private static final long REOFFER_MILLIS = 500;

  static final String LOST = "this process has lost a thread of its writer and should be restarted";

  /** Bytes of portions and gathered ends that may wait before the worker starts nothing more. */
  private static final long PORTION_BYTES = 32 << 20;

  /** What is due later is seen before by those that look once a second at least. */
  private static final long SOON_MICROS = 2_000_000;

  private final HotLane hot;
  private final ColdLane cold;
  private final AfterCommit afterCommit = new AfterCommit();
  private volatile LocalWorker local = new LocalWorker.Nobody();
  private final Ways ways;
  private final EngineMetrics metrics;
  private final AtomicLong gathered = new AtomicLong();

  /**
   * @param session that claims batches here, as written into outcomes
   */
  public Writer(
      String pgUrl,
      Supplier<UUID> session,
      BatchMaker maker,
      KindPace pace,
      Ways ways,
      EngineMetrics metrics) {
    this.ways = ways;
    this.metrics = metrics;
    BatchFormer former = new BatchFormer(maker, pace);
    this.hot =
        new HotLane(
            WriterConnection.spared(pgUrl, "millpond-hot-lane"),
            former,
            () -> local,
            ways::sends,
            session,
            this::hotCommitted,
            (work, cause) -> {
              switch (work) {
                case HotWork.Submit submit -> submit.work().done().completeExceptionally(cause);
                case HotWork.Finish finish -> reoffer(finish.portion(), cause);
              }
            });
    this.cold =
        new ColdLane(
            new WriterConnection(pgUrl, "millpond-cold-lane"),
            former,
            maker,
            () -> local,
            ways::sends,
            session,
            this::coldCommitted,
            (work, cause) -> {
              switch (work) {
                case ColdWork.Keyed keyed -> keyed.submit().done().completeExceptionally(cause);
                case ColdWork.Finish finish -> reoffer(finish.portion(), cause);
              }
            });
  }

  public void start() {
    metrics.gauge(EngineMetric.UNWRITTEN, this::unwrittenBytes);
    afterCommit.start();
    hot.start();
    cold.start();
  }

  /** Has its lanes connect now, and not when they first write. */
  public void connect() {
    hot.connect();
    cold.connect();
  }

  /** Has gates asked before new jobs are written; to be called before the start. */
  public void ask(Admission admission) {
    hot.ask(admission);
    cold.ask(admission);
  }

  /** Lets the worker of this process keep batches that are made here. */
  public void keepFor(LocalWorker worker) {
    local = worker;
  }

  /**
   * Hands in jobs without keys; false when there was no room in the time.
   *
   * @param ticket before the gates of their queues; null: no gate stops them
   * @throws UnavailableException when this writer is lost
   */
  public boolean submit(SubmitWork work, @Nullable Ticket ticket, long timeoutNanos)
      throws InterruptedException {
    checkThreads();
    boolean taken = hot.offer(new HotWork.Submit(work, ticket), timeoutNanos);
    if (!taken) {
      checkThreads();
    }
    return taken;
  }

  /**
   * Hands in jobs with keys; false when there was no room in the time.
   *
   * @param ticket before the gates of their queues; null: no gate stops them
   * @throws UnavailableException when this writer is lost
   */
  public boolean submit(KeyedSubmit submit, @Nullable Ticket ticket, long timeoutNanos)
      throws InterruptedException {
    checkThreads();
    boolean taken = cold.offer(new ColdWork.Keyed(submit, ticket), timeoutNanos);
    if (!taken) {
      checkThreads();
    }
    return taken;
  }

  private void checkThreads() {
    if (lost()) {
      throw new UnavailableException(LOST + "; nothing was written", false, null);
    }
  }

  /** Those without which nothing is written, or nobody told. */
  public List<LoopThread> threads() {
    return List.of(hot.thread(), cold.thread(), afterCommit.thread());
  }

  /** Whether one of its threads has ended by itself: it takes nothing more. */
  public boolean lost() {
    return hot.thread().lost() || cold.thread().lost() || afterCommit.thread().lost();
  }

  /** Hands in a portion; it is written, however long the database is away. */
  public void write(Portion portion) {
    if (portion.plain()) {
      hot.put(new HotWork.Finish(portion));
    } else {
      cold.put(new ColdWork.Finish(portion));
    }
  }

  /** Tells whoever promotes that a job is due that was not written here. */
  public void dueSoon() {
    ways.dueSoon();
  }

  /** Whether a lane is waiting for the database to come back. */
  public boolean away() {
    return hot.away() || cold.away();
  }

  /** Whether more of what workers have done waits to be written than should. */
  public boolean behind() {
    return unwrittenBytes() > PORTION_BYTES;
  }

  private long unwrittenBytes() {
    return gathered.get() + hot.putBytes() + cold.putBytes();
  }

  /** Counts bytes of ends that a worker has not handed in yet; less than zero: no longer. */
  public void gather(long bytes) {
    gathered.addAndGet(bytes);
  }

  /** Whether the last flushes of both lanes reached the database. */
  public boolean up() {
    return hot.up() || cold.up();
  }

  private void hotCommitted(HotLane.Flush flush) {
    if (!flush.toSend().isEmpty()) {
      // The earliest it can have been committed: after a lost answer that may be long ago.
      ways.send(flush.toSend(), System.nanoTime() - flush.nanos());
    }
    if (flush.leavesWaiting()) {
      ways.rowsWait();
    }
    metrics.flushed("hot", flush.nanos(), flush.rows());
    afterCommit.run(() -> {
      flush.submits().forEach(submit -> submit.done().complete(null));
      flush.submits().forEach(submit -> count(submit.jobs()));
      flush.portions().forEach(portion -> tell(portion, flush.written(portion)));
    });
  }

  /** One that fails must not keep the others from being told. */
  private static void tell(Portion portion, Written written) {
    try {
      portion.then().accept(portion, written);
    } catch (RuntimeException e) {
      log.error("what follows the end of {} jobs failed", portion.ends().size(), e);
    }
  }

  private record Sort(Lane lane, String kind) {}

  private void count(List<NewJob> jobs) {
    Map<Sort, Integer> submitted = new HashMap<>();
    boolean soon = false;
    for (NewJob job : jobs) {
      soon |= dueSoon(job.start());
      Sort sort = new Sort(new Lane(job.queue(), job.priorityClass()), job.kind());
      submitted.merge(sort, 1, Integer::sum);
    }
    submitted.forEach((sort, n) -> metrics.count(Step.SUBMITTED, sort.lane(), sort.kind(), n));
    if (soon) {
      ways.dueSoon();
    }
  }

  /** Of an instant it is not known here what the database's clock makes of it. */
  private static boolean dueSoon(NewJob.Start start) {
    return switch (start) {
      case NewJob.Start.Now ignored -> false;
      case NewJob.Start.At ignored -> true;
      case NewJob.Start.In in -> in.delayMicros() <= SOON_MICROS;
    };
  }

  private void coldCommitted(ColdLane.Flush flush) {
    if (!flush.toSend().isEmpty()) {
      ways.send(flush.toSend(), System.nanoTime() - flush.nanos());
    }
    ways.rowsWait(); // or due soon, as retries are
    metrics.flushed("cold", flush.nanos(), flush.rows());
    afterCommit.run(() -> {
      flush.verdicts().forEach((submit, verdicts) -> submit.done().complete(verdicts));
      count(flush.fresh());
      flush.written().forEach(Writer::tell);
    });
  }

  /**
   * A portion that a lock keeps out is offered again for as long as it takes. One that the database
   * refuses is given up here: its jobs are found by the reaper and run again.
   */
  private void reoffer(Portion portion, Exception cause) {
    if (Pg.fault(cause) == Pg.Fault.DATA || Pg.fault(cause) == Pg.Fault.UNIQUE) {
      log.error(
          "PostgreSQL refuses the outcome of {}; its jobs will be rescued",
          portion.batch() == null ? "a tracked " + portion.kind() + " job" : portion.batch(),
          cause);
      Set<UUID> lost = new HashSet<>();
      portion.ends().forEach(end -> lost.add(end.jobId()));
      metrics.add(EngineMetric.OUTCOMES_REFUSED, lost.size());
      afterCommit.run(() -> tell(portion, new Written(true, lost)));
      return;
    }
    log.warn("an outcome waits for a lock: {}", cause.getMessage());
    long delay = 1 + ThreadLocalRandom.current().nextLong(REOFFER_MILLIS);
    Executor later = CompletableFuture.delayedExecutor(delay, TimeUnit.MILLISECONDS);
    later.execute(() -> cold.put(new ColdWork.Finish(portion)));
  }

  /** Writes what was handed in, then ends. */
  @Override
  public void close() {
    hot.close();
    cold.close();
    afterCommit.close();
  }
}
