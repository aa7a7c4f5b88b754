package dev.millpond.chaos.campaign;

import dev.millpond.chaos.journal.Asked;
import dev.millpond.chaos.journal.Asked.Answer;
import dev.millpond.chaos.journal.Run;
import dev.millpond.chaos.work.Work;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/**
 * How soon things went on after a fault.
 *
 * @param againMillis of each job that it hit and that had a start after it: until this start
 * @param submitMillis until the next submit was acknowledged; -1 when there was none
 * @param endMillis until the next job ended, by PostgreSQL's clock; -1 when there was none
 */
public record Recovery(List<Long> againMillis, long submitMillis, long endMillis) {
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
              .mapToLong(Asked::answeredMillis)
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
          again, after(acknowledged, struck.recoveryFrom()), after(ended, struck.recoveryFrom()));
    }

    private static long after(long[] sorted, long from) {
      int at = Arrays.binarySearch(sorted, from);
      int next = at < 0 ? -at - 1 : at;
      return next < sorted.length ? sorted[next] - from : -1;
    }
  }
}
