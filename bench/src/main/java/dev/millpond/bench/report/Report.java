package dev.millpond.bench.report;

import dev.millpond.bench.scenario.Ceiling;
import dev.millpond.bench.scenario.Result;
import java.util.List;

/**
 * Everything that came out of a run.
 *
 * @param notes of machine, servers and settings
 * @param ceilings figures of the bare statements
 */
public record Report(List<String> notes, List<Ceiling> ceilings, List<Result> results) {
  public boolean valid() {
    return results.stream().allMatch(Result::valid);
  }
}
