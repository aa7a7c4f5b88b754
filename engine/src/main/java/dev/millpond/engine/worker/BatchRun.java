package dev.millpond.engine.worker;

import dev.millpond.api.JobContext.TransactionalWork;
import dev.millpond.engine.dispatch.Claimed;
import dev.millpond.engine.dispatch.Dispatch;
import dev.millpond.engine.dispatch.Lane;
import dev.millpond.engine.flush.Portion;
import dev.millpond.engine.flush.Portion.End;
import dev.millpond.engine.flush.Portion.Held;
import dev.millpond.engine.flush.Portion.LogLine;
import dev.millpond.engine.flush.Portion.Started;
import dev.millpond.engine.flush.Portion.Written;
import dev.millpond.engine.worker.HandlerRegistry.Registration;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * A claimed batch while this process has it: hands out its attempts, gathers their ends, and turns
 * them into portions for the writer.
 *
 * <p>Its life (rules R3 to R5): as a whole, until all attempts have ended, or until it is
 * dissolved. Dissolving writes what has ended, gives back what has not started, and from then on
 * each attempt that runs on is tracked by its own state row. Ends that come in between wait for
 * that commit: their gate is the state row that it writes. Guarded by its own lock; portions are
 * written outside of it.
 */
final class BatchRun {
  private final Claimed claimed;
  private final Dispatch origin;
  private final Registration<?> registration;
  private final Desk desk;
  private final long claimedNanos = System.nanoTime();
  private final List<Attempt> attempts = new ArrayList<>();
  private final List<End> ends = new ArrayList<>();
  private final List<LogLine> lines = new ArrayList<>();
  private final List<Ended> afterDissolve = new ArrayList<>();
  private final CompletableFuture<Void> dissolvedNews = new CompletableFuture<>();
  private int next;
  private int open;
  private boolean writing;
  private boolean toDissolve;
  private boolean toElsewhere;
  private boolean dissolved;
  private boolean closed;
  private boolean abandoned;
  private boolean webhooks;

  /** Of one whose jobs have state rows from the beginning: told of each end; or else null. */
  private @Nullable Runnable freed;

  /** Of the ends that are not handed in. */
  private long gatheredBytes;

  private record Ended(Attempt attempt, @Nullable End end) {}

  /**
   * @param origin the way it came
   * @param desk what it needs of its worker
   */
  BatchRun(Claimed claimed, Dispatch origin, Registration<?> registration, Desk desk) {
    this.claimed = claimed;
    this.origin = origin;
    this.registration = registration;
    this.desk = desk;
  }

  /**
   * A run of jobs that were claimed as running: there is no batch any more, and each attempt ends
   * by its own state row (rule R4). Those that do not begin in time are given back.
   *
   * @param freed told after each end
   */
  static BatchRun ofRunning(
      Claimed claimed, Dispatch origin, Registration<?> registration, Desk desk, Runnable freed) {
    BatchRun run = new BatchRun(claimed, origin, registration, desk);
    run.dissolved = true;
    run.closed = true;
    run.freed = freed;
    run.dissolvedNews.complete(null);
    return run;
  }

  /** Whether its jobs were claimed as running. */
  boolean ofRunning() {
    return freed != null;
  }

  void add(Attempt attempt) {
    attempts.add(attempt);
    webhooks |= attempt.options().webhook() != null;
    open++;
  }

  Claimed claimed() {
    return claimed;
  }

  Lane lane() {
    return claimed.batch().lane();
  }

  String kind() {
    return claimed.batch().kind();
  }

  Registration<?> registration() {
    return registration;
  }

  /** Identity of the worker that runs it. */
  UUID worker() {
    return desk.traces().worker();
  }

  long nowMicros() {
    return desk.nowMicros();
  }

  long ageNanos() {
    return System.nanoTime() - claimedNanos;
  }

  /** The attempts, which do not change once it is handed to the lanes. */
  List<Attempt> attempts() {
    return attempts;
  }

  /** Up to {@code count} attempts that nobody has been given yet. */
  synchronized List<Attempt> take(int count) {
    if (overAsBatch() || abandoned) {
      return List.of();
    }
    List<Attempt> taken = attempts.subList(next, Math.min(next + count, attempts.size()));
    next += taken.size();
    return List.copyOf(taken);
  }

  /** Holds all attempts that have not started, for a run that begins within the time. */
  synchronized List<Attempt> hold(Duration within) {
    List<Attempt> held = new ArrayList<>(attempts.size());
    if (!toDissolve && !abandoned) {
      for (Attempt attempt : attempts) {
        if (attempt.hold(within, desk.now())) {
          held.add(attempt);
        }
      }
      next = attempts.size();
    }
    return held;
  }

  /** Waits until what runs on is tracked; false when it is not in time. */
  boolean awaitDissolved(Duration within) throws InterruptedException {
    try {
      dissolvedNews.get(within.toNanos(), TimeUnit.NANOSECONDS);
      return true;
    } catch (TimeoutException | ExecutionException e) {
      return false;
    }
  }

  synchronized boolean exhausted() {
    return overAsBatch() || abandoned || next >= attempts.size();
  }

  /** Whether nothing of it is left to watch. */
  synchronized boolean over() {
    return abandoned || (closed && open == 0);
  }

  synchronized boolean dissolved() {
    return overAsBatch();
  }

  /** Whether nothing of it begins any more. */
  private boolean overAsBatch() {
    return freed == null ? dissolved : toDissolve;
  }

  /**
   * Takes in how an attempt ended, after {@link Attempt#end()}.
   *
   * @param end null when the attempt has lost its job, or has written its end itself
   */
  void ended(Attempt attempt, @Nullable End end) {
    Portion portion;
    synchronized (this) {
      if (attempt.recorded()) {
        return;
      }
      attempt.setRecorded();
      open--;
      if (!dissolved) {
        if (end == null) {
          // Its job is somebody else's, or so it seems: the row must not be deleted from here, for
          // it
          // may be what the job is found by.
          abandoned = true;
          forgetEnds();
        } else {
          gather(end);
          lines.addAll(attempt.takeLines());
        }
        portion = nextPortion(false);
      } else if (closed) {
        portion = end == null ? null : tracked(attempt, end);
      } else {
        afterDissolve.add(new Ended(attempt, end));
        portion = null;
      }
    }
    desk.untrack(attempt);
    if (portion != null) {
      desk.write(portion);
    }
  }

  /** Has an attempt's job wait that has not begun, since this tag of it is paused. */
  void pause(Attempt attempt, String tag) {
    if (attempt.giveBack()) {
      ended(attempt, Ends.paused(attempt, tag));
    }
  }

  /** Whether an attempt may still begin. */
  boolean anyReady() {
    return attempts.stream().anyMatch(attempt -> attempt.phase() == Attempt.Phase.READY);
  }

  /** Writes what has ended so far while the rest runs on. */
  void flushPart() {
    Portion portion;
    synchronized (this) {
      portion = nextPortion(true);
    }
    if (portion != null) {
      desk.write(portion);
    }
  }

  /**
   * Ends the batch as such, as soon as what it is writing is committed.
   *
   * @param elsewhere whether what has not started needs a worker that knows its kind
   */
  void dissolve(boolean elsewhere) {
    Portion portion;
    synchronized (this) {
      if (toDissolve) {
        return;
      }
      toDissolve = true;
      toElsewhere = elsewhere;
      portion = nextPortion(false);
    }
    if (portion != null) {
      desk.write(portion);
    }
    if (freed != null) {
      for (Attempt attempt : attempts) {
        if (attempt.giveBack()) {
          ended(attempt, Ends.returned(attempt));
        }
      }
    }
  }

  /**
   * The session that claimed it is fenced: nothing more of it is written. Whatever still holds its
   * jobs is the reaper's; a last portion of what is known here would delete the row of jobs that
   * have not ended.
   */
  synchronized void lose() {
    dissolved = true;
    closed = true;
    forgetEnds();
    for (Attempt attempt : attempts) {
      if (attempt.giveBack()) {
        attempt.setRecorded();
        open--;
      } else {
        attempt.stop(StopReason.LOST);
      }
    }
  }

  /**
   * What is to be written next; null while something is under way. One portion after the other: the
   * lanes of the writer overtake each other, and the last portion deletes the gate of those before
   * it.
   *
   * @param part whether ends of a batch that is not at its end are wanted
   */
  private @Nullable Portion nextPortion(boolean part) {
    if (writing || dissolved || closed || abandoned) {
      return null;
    }
    if (open == 0) {
      return takeEnds(true, List.of(), List.of());
    }
    if (toDissolve) {
      return takeDissolved();
    }
    return part && !ends.isEmpty() ? takeEnds(false, List.of(), List.of()) : null;
  }

  private Portion takeDissolved() {
    dissolved = true;
    List<Started> started = new ArrayList<>();
    List<Held> unstarted = new ArrayList<>();
    for (Attempt attempt : attempts) {
      if (attempt.giveBack()) {
        attempt.setRecorded();
        open--;
        unstarted.add(
            new Held(attempt.job().id(), attempt.job().token(), attempt.job().hasState()));
      } else if (!attempt.recorded()) {
        started.add(attempt.tracked());
      }
    }
    return takeEnds(true, started, unstarted);
  }

  private Portion takeEnds(boolean last, List<Started> started, List<Held> unstarted) {
    writing = true;
    Portion portion =
        new Portion(
            lane(),
            kind(),
            claimed.batch(),
            last,
            List.copyOf(ends),
            started,
            unstarted,
            toElsewhere,
            List.copyOf(lines),
            webhooks,
            this::written);
    forgetEnds(); // from here on the writer counts them
    return portion;
  }

  private void gather(End end) {
    if (abandoned || closed) {
      return; // nobody writes it any more
    }
    ends.add(end);
    int bytes = end.bytes();
    if (bytes > 0) {
      gatheredBytes += bytes;
      desk.gather(bytes);
    }
  }

  private void forgetEnds() {
    ends.clear();
    lines.clear();
    if (gatheredBytes > 0) {
      desk.gather(-gatheredBytes);
      gatheredBytes = 0;
    }
  }

  private Portion tracked(Attempt attempt, End end) {
    return new Portion(
        lane(),
        kind(),
        null,
        true,
        List.of(end),
        List.of(),
        List.of(),
        false,
        attempt.takeLines(),
        attempt.options().webhook() != null,
        this::writtenAlone);
  }

  private void writtenAlone(Portion portion, Written news) {
    desk.count(portion, news);
    endSpans(portion, news);
    Runnable told = freed;
    if (told != null) {
      told.run();
    }
  }

  private void endSpans(Portion portion, Written news) {
    if (desk.traces().on()) {
      for (End end : portion.ends()) {
        boolean counts = !news.gone() && !news.stale().contains(end.jobId());
        attempts.stream()
            .filter(attempt -> attempt.jobId().equals(end.jobId()))
            .forEach(attempt -> attempt.committed(counts));
      }
    }
  }

  /** News of a committed portion of the batch. */
  private void written(Portion portion, Written news) {
    desk.count(portion, news);
    endSpans(portion, news);
    List<Portion> more = new ArrayList<>();
    synchronized (this) {
      writing = false;
      if (portion.last()) {
        closed = true;
        settle(news, more);
      } else {
        if (news.gone()) {
          attempts.forEach(attempt -> attempt.stop(StopReason.LOST));
        }
        writeAgain(portion, news);
        Portion next = nextPortion(false);
        if (next != null) {
          more.add(next);
        }
      }
    }
    more.forEach(desk::write);
    if (portion.last()) {
      origin.release(List.of(claimed));
      dissolvedNews.complete(null);
      desk.over(this);
    }
  }

  /**
   * The row was somebody else's. Should it come back (a crash of PostgreSQL forgets claims), the
   * last portion deletes it: then it has to carry these ends as well, or nothing holds their jobs.
   */
  private void writeAgain(Portion part, Written news) {
    for (End end : part.ends()) {
      if (news.gone() || news.stale().contains(end.jobId())) {
        gather(end);
      }
    }
  }

  /** The row is gone: what runs on is tracked, and what has ended meanwhile has its gate by now. */
  private void settle(Written news, List<Portion> more) {
    for (Attempt attempt : attempts) {
      if (attempt.phase() == Attempt.Phase.STARTED) {
        if (news.gone() || news.stale().contains(attempt.job().id())) {
          attempt.stop(StopReason.LOST);
        } else {
          desk.track(attempt);
        }
      }
    }
    for (Ended late : afterDissolve) {
      End end = late.end();
      if (end == null) {
        continue;
      }
      Portion portion = tracked(late.attempt(), end);
      if (news.gone() || news.stale().contains(end.jobId())) {
        desk.count(portion, new Written(true, Set.of()));
      } else {
        more.add(portion);
      }
    }
    afterDissolve.clear();
  }

  /** Completes an attempt within the handler's own transaction (rule R6). */
  void completeIn(Attempt attempt, TransactionalWork work) throws Exception {
    dissolve(false);
    desk.completeIn(attempt, work, dissolvedNews);
  }
}
