package dev.millpond.server.demo;

import dev.millpond.server.demo.store.RunOutcomes;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/**
 * A number of tasks, submitted and followed to their end. Keeps the journal of acknowledged ids:
 * the run's own record, made without asking the queue. One thread submits, another follows.
 */
final class DemoRun {
  static final int JOBS_MAX = 1_000_000;

  /** Submitted and not yet seen ended; above it the submitting thread waits. */
  static final int AHEAD_MAX = 20_000;

  private static final Duration POLL = Duration.ofMillis(200);

  private final DemoWork work;
  private final Submitter submitter;
  private final int jobs;
  private final Instant since = Instant.now();
  private final List<UUID> journal;
  private final Map<UUID, Integer> open = new LinkedHashMap<>();
  private @Nullable RuntimeException submitError;

  DemoRun(DemoWork work, Submitter submitter, int jobs) {
    if (jobs < 1 || jobs > JOBS_MAX) {
      throw new IllegalArgumentException("jobs must be 1 to " + JOBS_MAX + ", is " + jobs);
    }
    this.work = work;
    this.submitter = submitter;
    this.jobs = jobs;
    this.journal = new ArrayList<>(jobs);
  }

  /** Submits the tasks from {@code from} to before {@code to}; each range once, in order. */
  void submit(int from, int to) throws InterruptedException {
    for (int first = from; first < to; first += Submitter.BATCH) {
      int next = Math.min(to, first + Submitter.BATCH);
      List<DemoWork.Task> tasks = new ArrayList<>(next - first);
      for (int i = first; i < next; i++) {
        tasks.add(work.task(i));
      }
      awaitRoom();
      List<UUID> ids = submitter.submit(first, tasks);
      synchronized (this) {
        for (UUID id : ids) {
          open.put(id, journal.size());
          journal.add(id);
        }
      }
    }
  }

  private synchronized void awaitRoom() throws InterruptedException {
    while (open.size() > AHEAD_MAX) {
      wait();
    }
  }

  /**
   * Submits all tasks and returns when each has ended or is dead.
   *
   * @param progress told the number of ended jobs after each look
   */
  void runAll(RunOutcomes outcomes, IntConsumer progress) throws InterruptedException {
    Thread producer = Thread.ofPlatform().name("demo-submit").daemon(true).start(this::submitAll);
    try {
      while (ended() < jobs) {
        rethrowSubmitError();
        progress.accept(look(outcomes));
        Thread.sleep(POLL);
      }
      progress.accept(ended());
    } finally {
      producer.interrupt();
    }
  }

  private void submitAll() {
    try {
      submit(0, jobs);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (RuntimeException e) {
      synchronized (this) {
        submitError = e;
      }
    }
  }

  private synchronized void rethrowSubmitError() {
    if (submitError != null) {
      throw submitError;
    }
  }

  /** Asks PostgreSQL which open jobs have ended, and returns how many have in all. */
  int look(RunOutcomes outcomes) {
    List<UUID> asked;
    synchronized (this) {
      asked = List.copyOf(open.keySet());
    }
    for (int i = 0; i < asked.size(); i += RunOutcomes.IDS_MAX) {
      List<UUID> part = asked.subList(i, Math.min(asked.size(), i + RunOutcomes.IDS_MAX));
      Set<UUID> ended = outcomes.endedAmong(part);
      synchronized (this) {
        open.keySet().removeAll(ended);
        notifyAll();
      }
    }
    return ended();
  }

  /** Acknowledged jobs that have been seen to end. */
  synchronized int ended() {
    return journal.size() - open.size();
  }

  /** The ids of all acknowledged jobs; entry n is task n. */
  synchronized List<UUID> journal() {
    return List.copyOf(journal);
  }

  /** When the run was made, by this host's clock, which also dates its files. */
  Instant since() {
    return since;
  }

  DemoWork work() {
    return work;
  }
}
