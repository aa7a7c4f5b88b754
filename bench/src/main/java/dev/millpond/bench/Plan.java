package dev.millpond.bench;

import dev.millpond.bench.http.HttpFlow;
import dev.millpond.bench.peer.Peers;
import dev.millpond.bench.scenario.Budget;
import dev.millpond.bench.scenario.Catalogue;
import dev.millpond.bench.scenario.Extent;
import dev.millpond.bench.scenario.Mode;
import dev.millpond.bench.scenario.Scenario;
import java.util.ArrayList;
import java.util.List;

/**
 * What a run does.
 *
 * @param scenarios in order; each runs in those of the modes that it has
 * @param warmUpMillis of the whole program, once a mode, before its first measurement
 * @param budget of each measurement
 * @param peers measured in the same scenarios, after Millpond
 */
record Plan(
    List<Mode> modes, List<Scenario> scenarios, long warmUpMillis, Budget budget, Peers peers) {

  /** Every scenario that can be chosen, of all packages, in the order they run. */
  static List<Scenario> all() {
    List<Scenario> all = new ArrayList<>(Catalogue.scenarios());
    all.addAll(HttpFlow.scenarios());
    return List.copyOf(all);
  }

  /** Those that are part of such a run. */
  static List<Scenario> of(Extent extent) {
    return all().stream().filter(scenario -> scenario.extent().compareTo(extent) <= 0).toList();
  }

  /**
   * Those that are named, by group, title or the start of a title.
   *
   * @throws IllegalArgumentException when a name is none
   */
  static List<Scenario> named(List<String> names) {
    List<Scenario> all = all();
    for (String name : names) {
      if (name.isBlank() || all.stream().noneMatch(scenario -> scenario.title().startsWith(name))) {
        throw new IllegalArgumentException(
            "--scenario must be a group ("
                + String.join(", ", all.stream().map(Scenario::name).distinct().toList())
                + ") or the start of a line that --list shows, is '"
                + name
                + "'");
      }
    }
    return all.stream()
        .filter(scenario -> names.stream().anyMatch(scenario.title()::startsWith))
        .toList();
  }

  /** How many measurements it is. */
  int measurements() {
    int count = 0;
    for (Mode mode : modes) {
      for (Scenario scenario : scenarios) {
        count += scenario.modes().contains(mode) ? 1 : 0;
      }
    }
    return count;
  }

  /** The most Redis servers that one of them needs; 0 for none. */
  int redisServers() {
    return modes.contains(Mode.STREAMS)
        ? scenarios.stream()
            .filter(scenario -> scenario.modes().contains(Mode.STREAMS))
            .mapToInt(Scenario::redisServers)
            .max()
            .orElse(0)
        : 0;
  }
}
