package dev.millpond.chaos.fault;

import dev.millpond.chaos.fleet.Equipment;
import dev.millpond.chaos.fleet.FleetPlan;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.random.RandomGenerator;

/** A kind of fault. Stateless; all of them are in {@link FaultKinds}. */
public interface FaultKind {
  /** As {@code --kinds} takes it and reports show it: {@code worker-kill}. */
  String key();

  /** The key of one of a group: {@code postgres-terminate-all}. */
  static String key(String group, Enum<?> one) {
    return group + "-" + one.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /** What {@code --kinds} takes for all of them together: {@code process}, {@code redis}. */
  String group();

  /** What it does, in one line, for {@code --list}. */
  String description();

  /** What it needs the fleet to have. */
  default Set<Equipment> needs() {
    return Set.of();
  }

  /**
   * Why it cannot be done on this machine, by a quick look at it; empty when it can. Such a kind is
   * listed, and never drawn.
   */
  default Optional<String> missing() {
    return Optional.empty();
  }

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
