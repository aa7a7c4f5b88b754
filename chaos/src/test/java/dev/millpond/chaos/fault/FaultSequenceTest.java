package dev.millpond.chaos.fault;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millpond.chaos.fault.FaultKind.Ground;
import dev.millpond.chaos.fleet.FleetPlan;
import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class FaultSequenceTest {
  private static final int FAULTS = 500;

  private static FaultSequence of(long seed) {
    return new FaultSequence(
        seed,
        FaultKinds.usual(),
        new Ground(FleetPlan.Size.FULL, Duration.ofSeconds(2)),
        Duration.ZERO,
        Duration.ofMillis(500));
  }

  private static List<String> texts(long seed) {
    FaultSequence sequence = of(seed);
    return IntStream.range(0, FAULTS)
        .mapToObj(sequence::draw)
        .map(drawn ->
            drawn.kind().key()
                + drawn.fault().targets()
                + drawn.fault().text()
                + drawn.fault().lasts()
                + drawn.pause())
        .toList();
  }

  @Test
  void theSameSeedGivesTheSameFaults() {
    assertThat(texts(11)).isEqualTo(texts(11));
    assertThat(texts(11)).isNotEqualTo(texts(12));
  }

  @Test
  void eachUsualKindComes() {
    FaultSequence sequence = of(1);
    assertThat(IntStream.range(0, FAULTS).mapToObj(n -> sequence.draw(n).kind()).distinct())
        .containsExactlyInAnyOrderElementsOf(FaultKinds.usual());
  }

  @Test
  void theKindOfAFaultDoesNotFollowFromWhomTheOneBeforeItStruck() {
    List<FaultKind> kinds = FaultKinds.of(List.of("worker-kill", "worker-term"));
    FaultSequence sequence =
        new FaultSequence(
            1,
            kinds,
            new Ground(FleetPlan.Size.FULL, Duration.ofSeconds(2)),
            Duration.ZERO,
            Duration.ofMillis(500));
    for (int later = 1; later <= 3; later++) {
      int by = later;
      long same =
          IntStream.range(0, FAULTS)
              .filter(n -> {
                String member = sequence.draw(n).fault().targets().iterator().next();
                boolean even = (member.charAt(member.length() - 1) - '0') % 2 == 0;
                return even == sequence.draw(n + by).kind().equals(kinds.getFirst());
              })
              .count();
      assertThat(same).as("%d later", by).isBetween(FAULTS * 4 / 10L, FAULTS * 6 / 10L);
    }
  }

  @Test
  void kindsAreFoundByNameAndByGroup() {
    assertThat(FaultKinds.of(List.of("redis-flushall", "worker-kill")))
        .extracting(FaultKind::key)
        .containsExactly("worker-kill", "redis-flushall");
    assertThat(FaultKinds.of(List.of("postgres")))
        .allMatch(kind -> kind.group().equals("postgres"));
    assertThatThrownBy(() -> FaultKinds.of(List.of("worker-kil")))
        .hasMessageContaining("worker-kil")
        .hasMessageContaining("worker-kill");
  }

  @Test
  void whatTheMachineLacksIsNotDrawnAndTheMessageSaysWhy() {
    for (FaultKind kind : FaultKinds.list()) {
      kind.missing()
          .ifPresentOrElse(
              why ->
                  assertThatThrownBy(() -> FaultKinds.of(List.of(kind.key())))
                      .hasMessageContaining(kind.key())
                      .hasMessageContaining(why),
              () -> assertThat(FaultKinds.of(List.of(kind.key()))).containsExactly(kind));
    }
  }

  @Test
  void theUsualOnesHaveANameToAddOthersTo() {
    assertThat(FaultKinds.of(List.of("usual"))).isEqualTo(FaultKinds.usual());
    assertThat(FaultKinds.of(List.of("redis-away", "usual")))
        .hasSize(FaultKinds.usual().size() + 1);
  }

  @Test
  void keysAreUnique() {
    assertThat(FaultKinds.list()).extracting(FaultKind::key).doesNotHaveDuplicates();
  }
}
