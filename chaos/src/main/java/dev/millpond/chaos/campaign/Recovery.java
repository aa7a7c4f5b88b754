package dev.millpond.chaos.campaign;

import dev.millpond.chaos.journal.Asked;
import dev.millpond.chaos.journal.Asked.Answer;
import dev.millpond.chaos.journal.Run;
import dev.millpond.chaos.work.Work;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.LongStream;

/**
 * How soon things went on after a fault.
 *
 * @param againMillis of each job that it hit and that had a start after it: until this start
 * @param submitMillis until the next submit was acknowledged; -1 when there was none
 * @param endMillis until the next job ended, by PostgreSQL's clock; -1 when there was none
 * @param dispatchMillis in a campaign with a backlog: until jobs started at half of the usual rate
 *     again and kept to it; 0 when they did all the time. It is looked for while at least half of
 *     what waited at the blow is left, for ten seconds and until the next fault at most; -1 when
 *     that is less than a second, and without a backlog
 * @param pauseMillis in such a campaign the longest time without a start in the same time; or -1
 * @param notBack whether jobs still started at less than half of that rate when the look ended, or
 *     none had in the seconds before the blow: dispatch is put down as all of the ten seconds then
 * @param submitShare of a fault that lasted for some seconds: jobs a second that were acknowledged
 *     in its course, as a share of those in the seconds before; -1 for a shorter one
 * @param endShare the same of jobs that ended
 */
public record Recovery(
    List<Long> againMillis,
    long submitMillis,
    long endMillis,
    long dispatchMillis,
    long pauseMillis,
    boolean notBack,
    double submitShare,
    double endShare) {
  /** Shorter faults have no rate of their own; as long is the time before that they are held to. */
  private static final long RATE_MILLIS = 4_000;

  /** After that a fault is over, as far as dispatch goes. */
  private static final long DISPATCH_WITHIN_MILLIS = 10_000;

  /**
   * In each of these the starts are counted; with full processors they vary much from one to the
   * next.
   */
  private static final long SLICE_MILLIS = 1_000;

  public Recovery {
    againMillis = List.copyOf(againMillis);
  }

  /** Reads them off the records of a campaign. Immutable. */
  static final class Reader {
    private final long seed;
    private final Map<UUID, List<Run>> runs = new HashMap<>();
    private final long[] acknowledged;
    private final long[] ended;
    private final long[] started;
    private final long[] struck;
    private final boolean backlog;

    /**
     * @param backlog whether there is always work, so that a pause is none of the clients
     * @param faults of the part
     * @param endedMillis of all jobs, in any order
     */
    Reader(
        long seed,
        boolean backlog,
        Collection<Struck> faults,
        Collection<Run> allRuns,
        Collection<Asked> asked,
        List<Long> endedMillis) {
      this.seed = seed;
      this.backlog = backlog;
      this.struck = faults.stream().mapToLong(Struck::struckMillis).sorted().toArray();
      this.started = allRuns.stream().mapToLong(Run::startedMillis).sorted().toArray();
      allRuns.forEach(run -> runs.computeIfAbsent(run.job(), id -> new ArrayList<>(1)).add(run));
      this.acknowledged =
          asked.stream()
              .filter(request -> request.answer() == Answer.OK)
              .flatMapToLong(
                  request -> LongStream.generate(request::answeredMillis).limit(request.count()))
              .sorted()
              .toArray();
      this.ended = endedMillis.stream().mapToLong(Long::longValue).sorted().toArray();
    }

    Recovery of(Struck struck) {
      List<Long> again = new ArrayList<>();
      for (UUID job : struck.hit().jobs()) {
        long next = Long.MAX_VALUE;
        for (Run run : runs.getOrDefault(job, List.of())) {
          if (run.startedMillis() > struck.struckMillis()
              && Work.of(seed, run.number()).fails() == 0) {
            next = Math.min(next, run.startedMillis());
          }
        }
        if (next < Long.MAX_VALUE) {
          again.add(Math.max(0, next - struck.recoveryFrom()));
        }
      }
      Dispatch dispatch = backlog ? dispatch(struck) : Dispatch.NOT_SEEN;
      return new Recovery(
          again,
          after(acknowledged, struck.recoveryFrom()),
          after(ended, struck.recoveryFrom()),
          dispatch.backMillis(),
          dispatch.pauseMillis(),
          dispatch.notBack(),
          share(acknowledged, struck),
          share(ended, struck));
    }

    /** How starts went on, as {@link Recovery} has it. */
    private record Dispatch(long backMillis, long pauseMillis, boolean notBack) {
      private static final Dispatch NOT_SEEN = new Dispatch(-1, -1, false);
    }

    /** Back at the end of the last slice with less than half of the usual starts. */
    private Dispatch dispatch(Struck fault) {
      long from = fault.recoveryFrom();
      long until = lookedUntil(fault);
      if (until - from < SLICE_MILLIS) {
        return Dispatch.NOT_SEEN;
      }
      double usual =
          (double) count(started, fault.struckMillis() - RATE_MILLIS, fault.struckMillis())
              / RATE_MILLIS;
      long back = 0;
      boolean low = usual == 0;
      for (long at = from; usual > 0 && at + SLICE_MILLIS <= until; at += SLICE_MILLIS) {
        low = count(started, at, at + SLICE_MILLIS) < usual * SLICE_MILLIS / 2;
        back = low ? at + SLICE_MILLIS - from : back;
      }
      return new Dispatch(low ? DISPATCH_WITHIN_MILLIS : back, pause(from, until), low);
    }

    private long pause(long from, long until) {
      long last = from;
      long longest = 0;
      for (int i = first(started, from); i < first(started, until); i++) {
        longest = Math.max(longest, started[i] - last);
        last = started[i];
      }
      return Math.max(longest, until - last);
    }

    /** With few left to start, fewer starts are no fault's. */
    private long lookedUntil(Struck fault) {
      long until = fault.recoveryFrom();
      int next = first(struck, fault.struckMillis() + 1);
      long most = until + DISPATCH_WITHIN_MILLIS;
      if (next < struck.length) {
        most = Math.min(most, struck[next]);
      }
      long enough = Math.max(1, waiting(fault.struckMillis()) / 2);
      while (until + SLICE_MILLIS <= most && waiting(until + SLICE_MILLIS) >= enough) {
        until += SLICE_MILLIS;
      }
      return until;
    }

    /** Jobs that were acknowledged before and had not ended. */
    private long waiting(long millis) {
      return (long) first(acknowledged, millis) - first(ended, millis);
    }

    private static int count(long[] sorted, long from, long to) {
      return first(sorted, to) - first(sorted, from);
    }

    private static long after(long[] sorted, long from) {
      int next = first(sorted, from);
      return next < sorted.length ? sorted[next] - from : -1;
    }

    private static double share(long[] sorted, Struck struck) {
      long lasted = struck.undoneMillis() - struck.struckMillis();
      double before =
          first(sorted, struck.struckMillis()) - first(sorted, struck.struckMillis() - RATE_MILLIS);
      if (lasted < RATE_MILLIS || before == 0) {
        return -1;
      }
      double during = first(sorted, struck.undoneMillis()) - first(sorted, struck.struckMillis());
      return during / lasted / (before / RATE_MILLIS);
    }

    /** Index of the first one that is not before. */
    private static int first(long[] sorted, long from) {
      int low = 0;
      int high = sorted.length;
      while (low < high) {
        int middle = (low + high) >>> 1;
        if (sorted[middle] < from) {
          low = middle + 1;
        } else {
          high = middle;
        }
      }
      return low;
    }
  }
}
