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
 *     again and kept to it, up to ten seconds and the next fault; 0 when they did all the time; -1
 *     in one without
 * @param pauseMillis in such a campaign the longest time without a start in the same time; or -1
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
      return new Recovery(
          again,
          after(acknowledged, struck.recoveryFrom()),
          after(ended, struck.recoveryFrom()),
          dispatch(struck),
          pause(struck),
          share(acknowledged, struck),
          share(ended, struck));
    }

    /** Until the end of the last slice with less than half of the usual starts. */
    private long dispatch(Struck fault) {
      long from = fault.recoveryFrom();
      double usual =
          (double) count(started, fault.struckMillis() - RATE_MILLIS, fault.struckMillis())
              / RATE_MILLIS;
      if (!backlog || usual == 0) {
        return -1;
      }
      long until = lookedUntil(fault);
      long back = 0;
      for (long at = from; at + SLICE_MILLIS <= until; at += SLICE_MILLIS) {
        if (count(started, at, at + SLICE_MILLIS) < usual * SLICE_MILLIS / 2) {
          back = at + SLICE_MILLIS - from;
        }
      }
      return back;
    }

    private long pause(Struck fault) {
      if (!backlog || started.length == 0) {
        return -1;
      }
      long last = fault.recoveryFrom();
      long longest = 0;
      for (int i = first(started, last); i < first(started, lookedUntil(fault)); i++) {
        longest = Math.max(longest, started[i] - last);
        last = started[i];
      }
      return Math.max(longest, lookedUntil(fault) - last);
    }

    private long lookedUntil(Struck fault) {
      int next = first(struck, fault.struckMillis() + 1);
      long until =
          Math.min(fault.recoveryFrom() + DISPATCH_WITHIN_MILLIS, started[started.length - 1]);
      return next < struck.length ? Math.min(until, struck[next]) : until;
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
