package dev.millpond.bench.report;

import dev.millpond.bench.peer.Peers;
import dev.millpond.bench.scenario.Ceiling;
import dev.millpond.bench.scenario.Result;
import java.util.List;
import java.util.Map;

/**
 * Everything that came out of a run.
 *
 * @param notes of machine, servers and settings
 * @param ceilings figures of the bare statements
 * @param results Millpond's, then those of peers
 * @param timesBestPeer by {@link Peers#key} of a result; empty when no peers were measured
 */
public record Report(
    List<String> notes,
    List<Ceiling> ceilings,
    List<Result> results,
    Map<String, Double> timesBestPeer) {
  public boolean valid() {
    return results.stream().allMatch(Result::valid);
  }
}
