package dev.millpond.bench.report;

import dev.millpond.bench.peer.Peers;
import dev.millpond.bench.scenario.Ceiling;
import dev.millpond.bench.scenario.Result;
import java.util.List;
import java.util.Map;

/**
 * Everything that came out of a run; in this shape it is written as JSON.
 *
 * @param format of the JSON; grows when a field changes its meaning or goes
 * @param startedAt UTC
 * @param valid whether every run counts
 * @param notes of machine, servers and settings
 * @param ceilings figures of the bare statements
 * @param results Millpond's in the order they were measured, then those of peers
 * @param targets goals that these results can be held against
 * @param timesBestPeer by {@link Peers#key} of a result; empty when no peers were measured
 */
public record Report(
    int format,
    String startedAt,
    boolean valid,
    List<String> notes,
    List<Ceiling> ceilings,
    List<Result> results,
    List<Target> targets,
    Map<String, Double> timesBestPeer) {
  private static final int FORMAT = 1;

  public static Report of(
      String startedAt,
      List<String> notes,
      List<Ceiling> ceilings,
      List<Result> results,
      Map<String, Double> timesBestPeer) {
    return new Report(
        FORMAT,
        startedAt,
        !results.isEmpty() && results.stream().allMatch(Result::valid),
        List.copyOf(notes),
        List.copyOf(ceilings),
        List.copyOf(results),
        Target.of(results),
        timesBestPeer);
  }
}
