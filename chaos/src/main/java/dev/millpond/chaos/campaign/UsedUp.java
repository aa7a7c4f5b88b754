package dev.millpond.chaos.campaign;

import dev.millpond.chaos.journal.Run;
import dev.millpond.chaos.journal.Run.End;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * An attempt that a fault has used up: the job was tried again under the next number, and this one
 * had not failed on purpose.
 *
 * @param pid of the worker in which its last run was; 0 when no handler ran under it
 * @param fromMillis the start of that run, or of the one before it
 * @param toMillis the start of the next one
 */
record UsedUp(UUID job, long pid, long fromMillis, long toMillis) {

  /**
   * The attempts before the last one that did not fail on purpose.
   *
   * @param runs of one job, in any order
   * @param attempts how many it has come to
   */
  static List<UsedUp> of(UUID job, Collection<Run> runs, int attempts) {
    Set<Integer> onPurpose = new HashSet<>();
    for (Run run : runs) {
      if (run.end() == End.FAILED_ON_PURPOSE) {
        onPurpose.add(run.attempt());
      }
    }
    List<UsedUp> all = new ArrayList<>();
    for (int attempt = 1; attempt < attempts; attempt++) {
      if (!onPurpose.contains(attempt)) {
        all.add(of(job, runs, attempt, attempts));
      }
    }
    return all;
  }

  private static UsedUp of(UUID job, Collection<Run> runs, int attempt, int attempts) {
    Run last = null;
    long from = Long.MIN_VALUE;
    long to = Long.MAX_VALUE;
    for (Run run : runs) {
      if (run.attempt() > attempt && run.attempt() <= attempts) {
        to = Math.min(to, run.startedMillis());
      } else if (run.attempt() <= attempt) {
        from = Math.max(from, run.startedMillis());
        boolean later = last == null || run.token() > last.token();
        last = run.attempt() == attempt && later ? run : last;
      }
    }
    return new UsedUp(
        job, last == null ? 0 : last.pid(), last == null ? from : last.startedMillis(), to);
  }

  /**
   * How many each fault has used up, by its number. One that none can have used up is left out.
   *
   * @param faults of one part
   */
  static Map<Integer, Long> byFault(Collection<UsedUp> attempts, Collection<Struck> faults) {
    Map<Integer, Long> counts = new HashMap<>();
    for (UsedUp attempt : attempts) {
      Struck struck = attempt.by(faults);
      if (struck != null) {
        counts.merge(struck.number(), 1L, Long::sum);
      }
    }
    return counts;
  }

  /**
   * Of the faults in its time the one that struck its process; or else its job; or else a server;
   * or else any. Of several of these the latest.
   */
  private @Nullable Struck by(Collection<Struck> faults) {
    return faults.stream()
        .filter(fault -> fault.struckMillis() <= toMillis && fault.undoneMillis() >= fromMillis)
        .max(Comparator.comparingInt(this::nearness).thenComparingLong(Struck::struckMillis))
        .orElse(null);
  }

  private int nearness(Struck fault) {
    if (fault.pids().contains(pid)) {
      return 3;
    }
    if (fault.hit().jobs().contains(job)) {
      return 2;
    }
    return fault.pids().isEmpty() ? 1 : 0;
  }
}
