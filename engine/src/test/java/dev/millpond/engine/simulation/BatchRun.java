package dev.millpond.engine.simulation;

import dev.millpond.engine.simulation.Portion.End;
import dev.millpond.engine.simulation.Portion.Held;
import dev.millpond.engine.simulation.Portion.Written;
import dev.millpond.engine.simulation.Redis.Entry;
import dev.millpond.engine.simulation.Rows.Batch;
import dev.millpond.engine.simulation.Worker.Loaded;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A claimed batch in a process, as in the engine's class of this name (R3 to R5). */
final class BatchRun {
  /** Life of an attempt. */
  enum Life {
    READY,
    STARTED,
    ENDED,
    GIVEN_BACK
  }

  /** Why an attempt is told to stop. */
  enum Stop {
    NONE,
    CANCELLED,
    SHUTDOWN,
    LOST
  }

  /** One attempt. */
  static final class Attempt {
    final BatchRun run;
    final int job;
    final int token;
    final int attempt;
    final boolean hasState;
    Life life = Life.READY;
    Stop stop = Stop.NONE;
    boolean recorded;
    long endsAt;

    Attempt(BatchRun run, Loaded loaded) {
      this.run = run;
      this.job = loaded.job();
      this.token = loaded.token();
      this.attempt = loaded.attempt();
      this.hasState = loaded.hasState();
    }

    void stop(Stop why) {
      if (stop == Stop.NONE || why == Stop.LOST) {
        stop = why;
      }
      endsAt = Math.min(endsAt, run.worker.world.now + 5);
    }
  }

  final Batch batch;
  final @Nullable Entry entry;
  final Worker worker;
  final List<Attempt> attempts = new ArrayList<>();
  final long claimedAt;
  private final boolean gated;
  private final List<End> ends = new ArrayList<>();
  private final List<End> afterDissolve = new ArrayList<>();
  private int open;
  private int losses;
  private boolean tracked;
  private boolean writing;
  private boolean toDissolve;
  private boolean dissolved;
  private boolean closed;
  private boolean abandoned;

  BatchRun(Worker worker, Batch batch, @Nullable Entry entry, boolean gated) {
    this.worker = worker;
    this.batch = batch;
    this.entry = entry;
    this.gated = gated;
    this.claimedAt = worker.world.now;
  }

  void add(Loaded loaded) {
    attempts.add(new Attempt(this, loaded));
    losses = Math.max(losses, loaded.losses());
    open++;
  }

  /** The most often that one of its jobs was lost with its process. */
  int losses() {
    return losses;
  }

  /** Whether what runs on of it is tracked. */
  boolean isDissolved() {
    return tracked;
  }

  /** Holds all attempts that have not started, as if they had. */
  List<Attempt> hold() {
    List<Attempt> held = new ArrayList<>();
    if (!toDissolve && !abandoned) {
      for (Attempt attempt : attempts) {
        if (attempt.life == Life.READY) {
          attempt.life = Life.STARTED;
          held.add(attempt);
        }
      }
    }
    return held;
  }

  @Nullable Attempt take() {
    if (!dissolved && !abandoned) {
      for (Attempt attempt : attempts) {
        if (attempt.life == Life.READY) {
          return attempt;
        }
      }
    }
    return null;
  }

  boolean over() {
    return abandoned || (closed && open == 0);
  }

  /** Takes in how an attempt ended; null when it has lost its job. */
  void ended(Attempt attempt, @Nullable End end) {
    if (attempt.recorded) {
      return;
    }
    attempt.recorded = true;
    open--;
    worker.tracked.remove(attempt);
    if (!dissolved) {
      if (end == null) {
        abandoned = true; // the row may be what the job is found by: it stays
      } else {
        ends.add(end);
      }
      write(next(false));
    } else if (end != null) {
      if (closed) {
        write(tracked(end));
      } else {
        afterDissolve.add(end);
      }
    }
  }

  void flushPart() {
    write(next(true));
  }

  void dissolve() {
    if (!toDissolve) {
      toDissolve = true;
      write(next(false));
    }
  }

  /** The session is fenced: nothing more of it is written, what holds its jobs is the reaper's. */
  void lose() {
    dissolved = true;
    closed = true;
    ends.clear();
    for (Attempt attempt : attempts) {
      if (attempt.life == Life.READY) {
        giveUp(attempt);
      } else {
        attempt.stop(Stop.LOST);
      }
    }
  }

  private void giveUp(Attempt attempt) {
    attempt.life = Life.GIVEN_BACK;
    attempt.recorded = true;
    open--;
  }

  private void write(@Nullable Portion portion) {
    if (portion != null) {
      worker.node.write(portion);
    }
  }

  /** One portion after the other: the last one deletes the gate of those before it. */
  private @Nullable Portion next(boolean part) {
    if (writing || dissolved || closed || abandoned) {
      return null;
    }
    if (open == 0) {
      return portion(true, List.of(), List.of());
    }
    if (toDissolve) {
      return dissolving();
    }
    return part && !ends.isEmpty() ? portion(false, List.of(), List.of()) : null;
  }

  private Portion dissolving() {
    dissolved = true;
    List<Held> started = new ArrayList<>();
    List<Held> unstarted = new ArrayList<>();
    for (Attempt attempt : attempts) {
      Held held = new Held(attempt.job, attempt.token, attempt.attempt);
      if (attempt.life == Life.READY) {
        giveUp(attempt);
        unstarted.add(held);
      } else if (!attempt.recorded) {
        started.add(held);
      }
    }
    return portion(true, started, unstarted);
  }

  private Portion portion(boolean last, List<Held> started, List<Held> unstarted) {
    writing = true;
    List<End> wanted = List.copyOf(ends);
    Portion made =
        new Portion(
            batch,
            last,
            wanted,
            started,
            unstarted,
            false,
            gated,
            news -> written(last, wanted, news));
    ends.clear();
    return made;
  }

  private Portion tracked(End end) {
    return new Portion(null, true, List.of(end), List.of(), List.of(), false, true, this::count);
  }

  /**
   * The row was somebody else's. Should it come back (claims may be forgotten, ADR 9), the last
   * portion deletes it: then it has to carry these ends as well, or nothing holds their jobs.
   */
  private void again(List<End> wanted, Written news) {
    for (End end : wanted) {
      if (news.gone() || news.stale().contains(end.job())) {
        ends.add(end);
      }
    }
  }

  private void count(Written news) {
    if (news.gone() || !news.stale().isEmpty()) {
      worker.world.checks.count("stale");
    }
  }

  private void written(boolean last, List<End> wanted, Written news) {
    count(news);
    writing = false;
    if (!last) {
      if (news.gone()) {
        attempts.forEach(attempt -> attempt.stop(Stop.LOST));
      }
      if (!worker.world.has(Bug.ENDS_OF_A_LOST_PART_FORGOTTEN)) {
        again(wanted, news);
      }
      write(next(false));
      return;
    }
    closed = true;
    for (Attempt attempt : attempts) {
      if (attempt.life == Life.STARTED) {
        if (news.gone() || news.stale().contains(attempt.job)) {
          attempt.stop(Stop.LOST);
        } else {
          worker.tracked.add(attempt);
        }
      }
    }
    for (End late : afterDissolve) {
      if (!news.gone() && !news.stale().contains(late.job())) {
        write(tracked(late));
      }
    }
    afterDissolve.clear();
    if (news.gone()) {
      worker.drop(entry);
    } else {
      worker.release(batch, entry);
    }
    tracked = true;
    worker.runs.remove(batch.id(), this);
  }
}
