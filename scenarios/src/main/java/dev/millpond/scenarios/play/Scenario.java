package dev.millpond.scenarios.play;

import dev.millpond.chaos.fleet.FleetPlan;
import dev.millpond.chaos.fleet.Wiring;
import dev.millpond.scenarios.report.Report;
import dev.millpond.scenarios.stage.Stage;

/** Something that flow control promises, shown. */
public interface Scenario {
  /** As it is asked for. */
  String name();

  /** What it shows, in a sentence. */
  String shows();

  /** The fleet that it needs. */
  FleetPlan.Size fleet();

  /** What is between its members and the servers. */
  default Wiring.Maker wiring() {
    return Wiring::direct;
  }

  /** Jobs that each worker runs at once. */
  int slots();

  /**
   * Plays it. The caller checks the books afterwards.
   *
   * @param stage with api and maintenance running, workers not
   * @param report to add to
   */
  void play(Stage stage, Report report) throws Exception;
}
