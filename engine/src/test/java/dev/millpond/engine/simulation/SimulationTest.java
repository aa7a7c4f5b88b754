package dev.millpond.engine.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.engine.simulation.Simulation.Result;
import java.util.EnumSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

/**
 * The protocol holds in every play of a fixed set of seeds. {@code -Dmillpond.sim.steps} plays for
 * longer, {@code -Dmillpond.sim.seed} begins elsewhere: with the seed that a failure names, at it.
 */
class SimulationTest {
  private static final long STEPS = Long.getLong("millpond.sim.steps", 3_000_000);
  private static final long SEED = Long.getLong("millpond.sim.seed", 1);
  private static final Set<Bug> NONE = EnumSet.noneOf(Bug.class);

  @Test
  void theProtocolHoldsWhateverComesBetweenTwoSteps() {
    Result result = Simulation.play(SEED, STEPS, NONE);

    assertThat(result.steps()).isGreaterThanOrEqualTo(STEPS);
  }

  @Test
  void whatCanHappenDoesHappen() {
    Result result = Simulation.play(1, 3_000_000, NONE);

    assertThat(result.counts())
        .containsKeys(
            "succeeded",
            "cancelled",
            "kept",
            "kept and given back",
            "kept and left to the reaper",
            "rescued",
            "fenced",
            "stale",
            "batches at two workers",
            "taken back",
            "refused by a server",
            "servers reconciled",
            "ran alone",
            "suspects in company",
            "charged",
            "keys taken",
            "keys known",
            "keys refused",
            "Cancel COMMITTED",
            "RunNow COMMITTED");
  }

  @Test
  void theSameSeedGivesTheSamePlay() {
    Result once = Simulation.play(7, 100_000, NONE);
    Result again = Simulation.play(7, 100_000, NONE);

    assertThat(again).isEqualTo(once);
  }
}
