package dev.millpond.chaos.fault;

import dev.millpond.chaos.fleet.FleetPlan;
import java.time.Duration;
import java.util.random.RandomGenerator;

/** A kind of fault. Stateless; all of them are in {@link FaultKinds}. */
public interface FaultKind {
  /** As {@code --kinds} takes it and reports show it: {@code worker-kill}. */
  String key();

  /** What {@code --kinds} takes for all of them together: {@code process}, {@code redis}. */
  String group();

  /** What it does, in one line, for {@code --list}. */
  String description();

  /** Whether it is drawn when nobody asks for kinds. */
  default boolean usual() {
    return true;
  }

  /**
   * Draws one. Whatever varies about it comes from the dice and nothing else, so that a seed gives
   * the same faults again.
   */
  Fault draw(RandomGenerator dice, Ground ground);

  /**
   * What is known before anything runs.
   *
   * @param lease after which a silent session is fenced
   */
  record Ground(FleetPlan.Size size, Duration lease) {}
}
