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
    KNOWN.put(Bug.COLD_CHECK_WITH_THE_LOCK, new Known(62, "ended-and-DEAD"));
    KNOWN.put(Bug.HOT_CHECK_WITH_THE_LOCK, new Known(593, "stale-end"));
    KNOWN.put(Bug.COLD_PART_SHARES_ITS_GATE, new Known(3202, "ended-and-DEAD"));
    KNOWN.put(Bug.CANCEL_READS_THE_ROW_UNLOCKED, new Known(2945, "cancelled-and-runs"));
    KNOWN.put(Bug.DRAIN_GIVES_BACK_WHAT_RUNS, new Known(22082, "held-and-off"));
    KNOWN.put(Bug.ENDS_OF_A_LOST_PART_FORGOTTEN, new Known(196717, "lost"));
    KNOWN.put(Bug.ACK_BEFORE_COMMIT, new Known(2, "acked-before-commit"));
    KNOWN.put(Bug.REAPER_WITHOUT_TOKEN, new Known(21, "dead-letter"));
    KNOWN.put(Bug.NO_RECONCILER, new Known(1, "not-ended"));
    KNOWN.put(Bug.NO_FLUSH_MARKER, new Known(97, "refused-and-there"));
    KNOWN.put(Bug.RENEWAL_WITHOUT_SEEN_AT, new Known(61, "ran-twice"));
    KNOWN.put(Bug.KEPT_WITHOUT_SESSION, new Known(64, "ran-twice"));
    KNOWN.put(Bug.KEPT_LATE_WITHOUT_GATE, new Known(3540, "dead-letter"));
    KNOWN.put(Bug.ONE_GATE_LETS_TWO_THROUGH, new Known(74, "two-holders"));
    KNOWN.put(Bug.KEY_LOOKED_UP_FIRST, new Known(15, "two-jobs-of-a-key"));
    KNOWN.put(Bug.KEY_READ_WITH_THE_INSERT, new Known(15, "key-two-answers"));
    KNOWN.put(Bug.KEY_BODY_NOT_COMPARED, new Known(7, "key-other-body"));
    KNOWN.put(Bug.KEY_NOT_GIVEN_BACK, new Known(18, "key-without-job"));
    KNOWN.put(Bug.RECONCILER_LOOKS_AT_ONE_SHARD, new Known(260, "ran-twice"));
    KNOWN.put(Bug.FEEDER_MIXES_LANES, new Known(1489, "ran-twice"));
    KNOWN.put(Bug.UNREAD_IS_LEFT, new Known(1, "not-ended"));
    KNOWN.put(Bug.ONLY_DIRECT_IS_CLAIMED, new Known(1, "not-ended"));
    KNOWN.put(Bug.NOTHING_IS_ADOPTED, new Known(104, "not-ended"));
    KNOWN.put(Bug.SUSPECTS_IN_COMPANY, new Known(11060, "pill-lives"));
    KNOWN.put(Bug.COMPANY_IS_CHARGED, new Known(4, "innocent"));
    KNOWN.put(Bug.PROCESS_COUNTS_TWICE, new Known(9652, "not-poison"));
    KNOWN.put(Bug.NOTE_IN_DOUBT_IS_FORGOTTEN, new Known(152, "innocent"));
    KNOWN.put(Bug.LANES_GO_ON_BEFORE_THE_END_IS_WRITTEN, new Known(100006, "innocent"));
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
