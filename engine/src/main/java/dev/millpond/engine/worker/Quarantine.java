package dev.millpond.engine.worker;

import dev.millpond.engine.lifecycle.store.DatabaseException;
import dev.millpond.engine.lifecycle.store.Transactions;
import dev.millpond.engine.threads.LoopThread;
import dev.millpond.engine.worker.store.SessionStore;
import dev.millpond.engine.worker.store.SessionStore.Running;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs batches of jobs that were lost with their process, one after the other, with nothing else in
 * this one: should it die as well, it is known of which (ADR 25). One thread; platform, since it
 * has to come through beside handlers that compute.
 *
 * <p>A batch is tracked in PostgreSQL before it starts, then the lanes are stopped until this
 * process is empty, then it is noted that its jobs run alone, and only then they start. The lanes
 * go on when they have ended, or when they have been alone for their time; by then it has been
 * noted that they are not alone any more. Both waits are short after a first loss and longer after
 * each further one ({@link TimeAlone}), so that a crash of a worker with thousands of jobs slows
 * nobody for long, and what kills late is found all the same. As much time as was spent so, waiting
 * or alone, is left to other jobs before the next batch.
 *
 * <p>In a process that does not become empty in time, and where the database does not take the
 * note, they run in company: then nobody is charged. A note in doubt is taken back before. What
 * cannot be taken back within a lease stands, and the lanes go on.
 */
final class Quarantine {
  private static final Logger log = LoggerFactory.getLogger(Quarantine.class);

  /** How long the commit may take that tracks a batch. */
  private static final Duration TRACKED_WITHIN = Duration.ofSeconds(30);

  private static final long LOOK_MILLIS = 1;

  /** At most; a row that is locked since the job's end is just being written is free soon. */
  private static final long NOTE_AGAIN_MILLIS = 100;

  private final Worker worker;
  private final Session session;
  private final WeightedLanes lanes;
  private final Runner runner;
  private final Transactions notes;
  private final TimeAlone times;
  private final Deque<BatchRun> waiting = new ArrayDeque<>();
  private final LoopThread thread = new LoopThread("millpond-quarantine", this::loop);
  private volatile boolean stopped;

  /**
   * @param notes which give up soon, since the lanes stand still for them
   */
  Quarantine(
      Worker worker, Session session, WeightedLanes lanes, Runner runner, Transactions notes) {
    this.worker = worker;
    this.session = session;
    this.lanes = lanes;
    this.runner = runner;
    this.notes = notes;
    this.times = new TimeAlone(worker.settle());
  }

  void start() {
    thread.start();
  }

  LoopThread thread() {
    return thread;
  }

  /** Ends at once what waits here or is about to start; what runs has been drained before. */
  void stop() {
    thread.mayEnd();
    stopped = true;
    thread.interrupt();
  }

  /** Waits for the end of a transaction that is under way. */
  void join(long untilNanos) {
    try {
      thread.joinUntil(untilNanos);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Whether a batch is to run here; one that runs in child processes is alone anyway. */
  static boolean takes(BatchRun run) {
    if (run.registration().forked()) {
      return false;
    }
    for (Attempt attempt : run.attempts()) {
      if (attempt.job().losses() > 0) {
        return true;
      }
    }
    return false;
  }

  void add(BatchRun run) {
    synchronized (waiting) {
      waiting.add(run);
      waiting.notifyAll();
    }
  }

  /** Batches that wait here; the worker takes so many fewer others, so that they are few. */
  int size() {
    synchronized (waiting) {
      return waiting.size();
    }
  }

  /** Takes out everything. */
  List<BatchRun> clear() {
    synchronized (waiting) {
      List<BatchRun> all = List.copyOf(waiting);
      waiting.clear();
      return all;
    }
  }

  private void loop() {
    while (!stopped) {
      try {
        run(next());
      } catch (InterruptedException e) {
        log.debug("the quarantine ends");
        return;
      } catch (RuntimeException e) {
        log.error("running a batch alone failed in a way it must not", e);
      } finally {
        goOn();
      }
    }
  }

  private BatchRun next() throws InterruptedException {
    synchronized (waiting) {
      while (waiting.isEmpty()) {
        waiting.wait();
      }
      return waiting.removeFirst();
    }
  }

  private void goOn() {
    lanes.resume();
    runner.pump();
  }

  private void run(BatchRun run) throws InterruptedException {
    Duration patience = patience(run);
    List<Attempt> attempts = run.hold(patience);
    if (attempts.isEmpty()) {
      return; // it was given back meanwhile
    }
    long began = System.nanoTime();
    UUID noted = session.get();
    boolean alone = false;
    try {
      run.dissolve(false);
      if (run.awaitDissolved(TRACKED_WITHIN)) {
        began = System.nanoTime(); // the lanes stop here
        alone = awaitEmpty(patience) && noteAlone(attempts, noted);
      }
    } finally {
      if (!alone) {
        goOn();
        if (worker.draining() || stopped) {
          attempts.forEach(attempt -> attempt.stop(StopReason.SHUTDOWN)); // not begun: given back
        }
      }
      CountDownLatch ended = new CountDownLatch(attempts.size());
      attempts.forEach(attempt -> runner.runHeld(attempt, ended::countDown));
      if (alone) {
        boolean inTime = ended.await(patience.toNanos(), TimeUnit.NANOSECONDS);
        log.debug("alone {}", inTime ? "to the end" : "for long enough");
        takeBack(running(attempts), noted);
        goOn();
      }
      long stopped = System.nanoTime() - began;
      times.taken(stopped);
      rest(stopped);
    }
  }

  private Duration patience(BatchRun run) {
    int losses = 1;
    for (Attempt attempt : run.attempts()) {
      losses = Math.max(losses, attempt.job().losses());
    }
    return times.next(losses, size());
  }

  /** Stops the lanes, and waits until nothing runs in this process. */
  private boolean awaitEmpty(Duration within) throws InterruptedException {
    lanes.pause();
    long until = System.nanoTime() + within.toNanos();
    while (!runner.empty()) {
      if (System.nanoTime() - until >= 0 || worker.draining() || stopped) {
        return false;
      }
      TimeUnit.MILLISECONDS.sleep(LOOK_MILLIS);
    }
    return !worker.draining();
  }

  /** Whether it is noted that they run alone. A note of which that is not known is taken back. */
  private boolean noteAlone(List<Attempt> attempts, UUID by) throws InterruptedException {
    List<Running> jobs = running(attempts);
    try {
      notes.call(tx -> {
        SessionStore.noteAlone(tx, by, jobs);
        return true;
      });
      return true;
    } catch (DatabaseException e) {
      log.debug("not noted that {} jobs run alone: {}", jobs.size(), e.getMessage());
    }
    takeBack(jobs, by);
    return false;
  }

  /**
   * Nothing else should begin here while the note stands: were the process to die then, these jobs
   * would be charged. Those that have ended are no exception, as long as their ends are not
   * written. Tries for a lease: whatever holds up a row or the database for longer must not keep
   * everything else here from running, and a charge is only a warning until there is a second one.
   */
  private void takeBack(List<Running> jobs, UUID by) throws InterruptedException {
    long until = System.nanoTime() + worker.lease().toNanos();
    long pause = 1;
    while (by.equals(session.get()) && !stopped && !worker.draining() && !tookBack(jobs, by)) {
      if (System.nanoTime() - until >= 0) {
        log.warn("{} jobs that do not run alone any more stay noted as such", jobs.size());
        return;
      }
      TimeUnit.MILLISECONDS.sleep(pause);
      pause = Math.min(2 * pause, NOTE_AGAIN_MILLIS);
    }
  }

  /** Leaves the lanes alone for as long as they were stopped, while others wait in them. */
  private void rest(long stoppedNanos) {
    if (lanes.ready() > 0) {
      worker.awaitStop(
          Math.min(TimeUnit.NANOSECONDS.toMillis(stoppedNanos), TimeAlone.LONGEST.toMillis()));
    }
  }

  private static List<Running> running(List<Attempt> attempts) {
    List<Running> running = new ArrayList<>(attempts.size());
    attempts.forEach(attempt -> running.add(running(attempt)));
    return running;
  }

  private static Running running(Attempt attempt) {
    return new Running(attempt.jobId(), attempt.leaseToken());
  }

  private boolean tookBack(List<Running> jobs, UUID by) {
    try {
      return notes.call(tx -> SessionStore.noteInCompany(tx, by, jobs)) == 0;
    } catch (DatabaseException e) {
      log.debug("{} jobs are still noted as alone: {}", jobs.size(), e.getMessage());
      return false;
    }
  }
}
