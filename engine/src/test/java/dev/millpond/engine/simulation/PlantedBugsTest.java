package dev.millpond.engine.simulation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.util.EnumMap;
import java.util.EnumSet;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Each rule that is left out is noticed. The seeds are those that the simulator found from seed 1
 * on; a change of the model moves them, and {@code Simulation.main} with the bug's name finds new
 * ones.
 */
class PlantedBugsTest {
  private record Known(long seed, String rule) {}

  private static final Map<Bug, Known> KNOWN = new EnumMap<>(Bug.class);

  static {
    KNOWN.put(Bug.NO_HOLDER_GATE, new Known(2, "stale-end"));
    KNOWN.put(Bug.SUBMITTER_DELETES_THE_ROW, new Known(1, "lost"));
    KNOWN.put(Bug.COLD_CHECK_WITH_THE_LOCK, new Known(216, "ended-and-DEAD"));
    KNOWN.put(Bug.HOT_CHECK_WITH_THE_LOCK, new Known(60, "stale-end"));
    KNOWN.put(Bug.COLD_PART_SHARES_ITS_GATE, new Known(1380, "ended-and-DEAD"));
    KNOWN.put(Bug.CANCEL_READS_THE_ROW_UNLOCKED, new Known(6094, "cancelled-and-runs"));
    KNOWN.put(Bug.DRAIN_GIVES_BACK_WHAT_RUNS, new Known(50445, "held-and-off"));
    KNOWN.put(Bug.ENDS_OF_A_LOST_PART_FORGOTTEN, new Known(500110, "lost"));
    KNOWN.put(Bug.ACK_BEFORE_COMMIT, new Known(1, "acked-before-commit"));
    KNOWN.put(Bug.REAPER_WITHOUT_TOKEN, new Known(26, "dead-letter"));
    KNOWN.put(Bug.NO_RECONCILER, new Known(7, "not-ended"));
    KNOWN.put(Bug.NO_FLUSH_MARKER, new Known(79, "refused-and-there"));
    KNOWN.put(Bug.RENEWAL_WITHOUT_SEEN_AT, new Known(81, "ran-twice"));
    KNOWN.put(Bug.KEPT_WITHOUT_SESSION, new Known(64, "ran-twice"));
    KNOWN.put(Bug.KEPT_LATE_WITHOUT_GATE, new Known(417, "stale-end"));
  }

  @ParameterizedTest
  @EnumSource
  void aRuleThatIsLeftOutIsNoticed(Bug bug) {
    Known known = KNOWN.get(bug);
    assertThat(known).as("a failing seed of %s", bug).isNotNull();
    World world = new World(known.seed(), EnumSet.of(bug));

    Violation violation = catchThrowableOfType(Violation.class, world::play);

    assertThat(violation).as("seed %s with %s", known.seed(), bug).isNotNull();
    assertThat(violation.rule).isEqualTo(known.rule());
  }

  @ParameterizedTest
  @EnumSource
  void theSameSeedHoldsWithTheRule(Bug bug) {
    Known known = KNOWN.get(bug);
    assertThat(known).isNotNull();

    new World(known.seed(), EnumSet.noneOf(Bug.class)).play();
  }

  @Test
  void aFailureNamesItsSeedItsStepAndWhatHappenedBefore() {
    Known known = KNOWN.get(Bug.SUBMITTER_DELETES_THE_ROW);
    assertThat(known).isNotNull();

    AssertionError failure =
        catchThrowableOfType(
            AssertionError.class,
            () -> Simulation.play(known.seed(), 1, EnumSet.of(Bug.SUBMITTER_DELETES_THE_ROW)));

    assertThat(failure)
        .hasMessageContaining("lost: after delete of the row")
        .hasMessageContaining("seed " + known.seed() + ", step ")
        .hasMessageContaining("XADD")
        .hasMessageContaining("-Dmillpond.sim.seed=" + known.seed());
  }
}
