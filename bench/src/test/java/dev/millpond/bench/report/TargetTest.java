package dev.millpond.bench.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import dev.millpond.bench.scenario.Result;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class TargetTest {
  @Test
  void aGoalIsHeldAgainstEachModeThatWasMeasured() {
    List<Target> targets =
        Target.of(
            List.of(
                result("end-to-end", "lists of 1000", "streams", 90_000, 0.65),
                result("end-to-end", "lists of 1000", "postgres", 130_000, 0.80)));

    assertThat(targets)
        .filteredOn(target -> target.goal().equals("at least 120,000 jobs/s"))
        .extracting(Target::mode, Target::reached, Target::met)
        .containsExactlyInAnyOrder(
            tuple("streams", "90,000 jobs/s", false), tuple("postgres", "130,000 jobs/s", true));
    assertThat(targets).filteredOn(target -> target.goal().equals("at least 0.70")).hasSize(2);
  }

  @Test
  void aRateIsFlatWhenTheLoadedOneIsAtLeastNineTenthsOfTheOther() {
    List<Target> targets =
        Target.of(
            List.of(
                result("backlog", "0 waiting", "streams", 100_000, null),
                result("backlog", "5M waiting", "streams", 89_000, null)));

    assertThat(targets)
        .extracting(Target::what, Target::reached, Target::met)
        .containsExactly(tuple("rate with 5M waiting by none", "0.89", false));
  }

  @Test
  void aFlatRateIsNoTargetWhenOneOfItsRunsDoesNotCount() {
    Result free = result("backlog", "0 waiting", "streams", 100_000, null);
    Result loaded = result("backlog", "5M waiting", "streams", 100_000, null);

    assertThat(Target.of(List.of(invalid(free), loaded))).isEmpty();
    assertThat(Target.of(List.of(free, invalid(loaded)))).isEmpty();
    assertThat(Target.of(List.of(free, loaded))).hasSize(1);
  }

  @Test
  void whatWasNotMeasuredIsNoTarget() {
    assertThat(Target.of(List.of())).isEmpty();
  }

  private static Result result(
      String scenario, String label, String mode, double rate, @Nullable Double ratio) {
    return result(scenario, label, mode, rate, ratio, List.of());
  }

  /** The same without a rate, as of a run that ended with an error. */
  private static Result invalid(Result valid) {
    return result(valid.scenario(), valid.label(), valid.mode(), 0, null, List.of("an error"));
  }

  private static Result result(
      String scenario,
      String label,
      String mode,
      double rate,
      @Nullable Double ratio,
      List<String> problems) {
    return new Result(
        scenario, label, mode, 1, 1, rate, null, ratio, null, Map.of(), 0, 0, null, null, 0,
        Map.of(), null, List.of(), problems);
  }
}
