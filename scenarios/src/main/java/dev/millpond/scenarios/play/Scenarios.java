package dev.millpond.scenarios.play;

import java.util.List;
import java.util.Optional;

/** All scenarios. Stateless. */
public final class Scenarios {
  private static final List<Scenario> ALL =
      List.of(
          new FloodScenario(),
          new WeightsScenario(false),
          new WeightsScenario(true),
          new LimitsScenario(),
          new PauseScenario(),
          new EstimateScenario());

  private Scenarios() {}

  /** In the order in which they are shown. */
  public static List<Scenario> all() {
    return ALL;
  }

  /** The one of that name. */
  public static Optional<Scenario> named(String name) {
    return ALL.stream().filter(scenario -> scenario.name().equals(name)).findFirst();
  }
}
