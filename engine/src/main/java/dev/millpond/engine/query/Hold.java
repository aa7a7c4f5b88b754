package dev.millpond.engine.query;

import dev.millpond.api.JobState;
import dev.millpond.engine.flow.Pause;
import dev.millpond.engine.flow.Pause.Scope;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.UUID;
import java.util.stream.Collectors;

/** Something that keeps a job from starting, or the reason why nothing does any more. */
public sealed interface Hold {
  /** In one sentence. */
  String text();

  /** The name used in REST and on the command line. */
  default String type() {
    return getClass().getSimpleName().replaceAll("(?<=.)([A-Z])", "-$1").toLowerCase(Locale.ROOT);
  }

  /** It has ended, or is dead until somebody redrives it. */
  record Over(JobState state) implements Hold {
    @Override
    public String text() {
      return "It is " + state.wireName();
    }
  }

  /** It runs. */
  record Running() implements Hold {
    @Override
    public String text() {
      return "It runs";
    }
  }

  /**
   * Its time has not come.
   *
   * @param attempt that is to start then
   * @param retry whether an attempt has failed before
   */
  record Delayed(Instant until, int attempt, boolean retry) implements Hold {
    @Override
    public String text() {
      return retry
          ? "Attempt %d is delayed until %s".formatted(attempt, until)
          : "It is delayed until " + until;
    }
  }

  /** Its time has come a while ago, and nobody has promoted it. */
  record Overdue(Instant since) implements Hold {
    @Override
    public String text() {
      return "Its time came at %s, and no process with the role maintenance has promoted it"
          .formatted(since);
    }
  }

  /** Operators have paused its queue, its kind or one of its tags. */
  record Paused(Pause pause) implements Hold {
    @Override
    public String text() {
      String by = pause.by() == null ? "" : " by " + pause.by();
      String why = pause.reason() == null ? "" : ": " + pause.reason();
      return "Its %s %s is paused%s since %s%s"
          .formatted(pause.scope().word(), pause.name(), by, pause.at(), why);
    }
  }

  /**
   * As many jobs of its queue or kind run as may.
   *
   * @param holders the first of those that run
   */
  record LimitFull(Scope scope, String name, int concurrency, List<UUID> holders) implements Hold {
    /** Of the holders that a sentence names. */
    private static final int NAMED = 3;

    public LimitFull {
      holders = List.copyOf(holders);
    }

    @Override
    public String text() {
      String named =
          holders.stream().limit(NAMED).map(UUID::toString).collect(Collectors.joining(", "));
      String text =
          "Its %s %s may run %d at a time, and does".formatted(scope.word(), name, concurrency);
      return holders.isEmpty()
          ? text
          : text + ": " + named + (holders.size() > NAMED ? " and others" : "");
    }
  }

  /**
   * The rate of its queue or kind has no start left for now.
   *
   * @param next when there is one again, if nobody else takes it
   */
  record RateSpent(Scope scope, String name, Instant next) implements Hold {
    @Override
    public String text() {
      return "The rate of its %s %s has no start left before %s"
          .formatted(scope.word(), name, next);
    }
  }

  /**
   * No live worker that takes jobs has a handler for its kind.
   *
   * @param draining workers that have one, and take nothing
   */
  record NoWorker(String kind, int draining) implements Hold {
    @Override
    public String text() {
      return "No live worker takes jobs of kind "
          + kind
          + (draining == 0
              ? ""
              : "; %d that could %s".formatted(draining, draining == 1 ? "drains" : "drain"));
    }
  }

  /**
   * A worker has claimed its batch and starts it when a slot is free.
   *
   * @param worker as people know it
   */
  record Claimed(String worker, Instant since) implements Hold {
    @Override
    public String text() {
      return worker + " has claimed its batch at " + since + ", and starts it when a slot is free";
    }
  }

  /**
   * Others of its class are before it.
   *
   * @param jobs that wait before it or are at work
   * @param more whether there are more than were counted
   * @param percent of the queue's time that its class gets while all of its classes have work
   */
  record Behind(String queue, String priorityClass, long jobs, boolean more, int percent)
      implements Hold {
    @Override
    public String text() {
      return ("%s%d %s of class %s in queue %s %s before it or at work; the class gets %d %% of the"
              + " queue's time, more while others have no work")
          .formatted(
              more ? "More than " : "",
              jobs,
              jobs == 1 ? "job" : "jobs",
              priorityClass,
              queue,
              jobs == 1 ? "is" : "are",
              percent);
    }
  }

  /** Nothing is known to hold it: the next worker that has room takes it. */
  record NextInLine(int workers) implements Hold {
    @Override
    public String text() {
      return "Nothing holds it: one of %d %s takes it as soon as it has room"
          .formatted(workers, workers == 1 ? "worker" : "workers");
    }
  }
}
