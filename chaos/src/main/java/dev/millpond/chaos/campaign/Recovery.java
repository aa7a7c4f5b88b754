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
 * @param submitShare of a fault that lasted for some seconds: jobs a second that were acknowledged
 *     in its course, as a share of those in the seconds before; -1 for a shorter one
 * @param endShare the same of jobs that ended
 */
public record Recovery(
    List<Long> againMillis,
    long submitMillis,
    long endMillis,
    double submitShare,
    double endShare) {
  /** Shorter faults have no rate of their own; as long is the time before that they are held to. */
  private static final long RATE_MILLIS = 4_000;

  public Recovery {
    againMillis = List.copyOf(againMillis);
  }

  /** Reads them off the records of a campaign. Immutable. */
  static final class Reader {
    private final long seed;
    private final Map<UUID, List<Run>> runs = new HashMap<>();
    private final long[] acknowledged;
    private final long[] ended;

    /**
     * @param endedMillis of all jobs, in any order
     */
    Reader(long seed, Collection<Run> allRuns, Collection<Asked> asked, List<Long> endedMillis) {
      this.seed = seed;
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
          share(acknowledged, struck),
          share(ended, struck));
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
