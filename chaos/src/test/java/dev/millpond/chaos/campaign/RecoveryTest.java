package dev.millpond.chaos.campaign;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.chaos.fault.Fault.Since;
import dev.millpond.chaos.fault.Hit;
import dev.millpond.chaos.journal.Asked;
import dev.millpond.chaos.journal.Asked.Answer;
import dev.millpond.chaos.journal.Run;
import dev.millpond.chaos.journal.Run.End;
import dev.millpond.chaos.work.Work;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class RecoveryTest {
  private static final long SEED = 7;
  private static final UUID JOB = new UUID(1, 1);

  private static Struck struck(Since since) {
    return new Struck(0, "a", "a", new Hit(Set.of(JOB), 0), Set.of(), 1, since, 10_000, 15_000);
  }

  private static Run run(String name, long startedMillis) {
    long number = 0;
    while (Work.of(SEED, number).fails() > 0) {
      number++;
    }
    return new Run(name, number, JOB, 1, 1, startedMillis, End.OPEN, 0);
  }

  private static Recovery of(Since since, List<Run> runs, List<Asked> asked, List<Long> ended) {
    return new Recovery.Reader(SEED, false, List.of(struck(since)), runs, asked, ended)
        .of(struck(since));
  }

  @Test
  void aJobIsMeasuredToItsFirstStartAfterTheBlow() {
    List<Run> runs = List.of(run("1.1", 9_990), run("2.2", 14_500), run("2.3", 12_500));
    assertThat(of(Since.STRUCK, runs, List.of(), List.of()).againMillis()).containsExactly(2_500L);
    assertThat(of(Since.UNDONE, runs, List.of(), List.of()).againMillis()).containsExactly(0L);
  }

  @Test
  void aJobThatDidNotStartAgainIsNotMeasured() {
    List<Run> runs = List.of(run("1.1", 9_990));
    assertThat(of(Since.STRUCK, runs, List.of(), List.of()).againMillis()).isEmpty();
  }

  @Test
  void theNextSubmitAndTheNextEndAreMeasuredFromWhereRecoveryBegins() {
    Asked asked =
        Asked.sent(0, 1, null, true, 1).answered(Answer.OK, 15_070, List.of(new UUID(1, 2)));
    Recovery recovery = of(Since.UNDONE, List.of(), List.of(asked), List.of(14_000L, 15_200L));
    assertThat(recovery.submitMillis()).isEqualTo(70);
    assertThat(recovery.endMillis()).isEqualTo(200);
    assertThat(of(Since.STRUCK, List.of(), List.of(), List.of()).endMillis()).isEqualTo(-1);
  }

  @Test
  void aRateDuringAFaultIsAShareOfTheOneBefore() {
    // Ten a second before, five a second in the five seconds of the fault.
    List<Long> ended =
        LongStream.concat(
                LongStream.iterate(6_000, millis -> millis < 10_000, millis -> millis + 100),
                LongStream.iterate(10_000, millis -> millis < 15_000, millis -> millis + 200))
            .boxed()
            .toList();
    assertThat(of(Since.STRUCK, List.of(), List.of(), ended).endShare()).isEqualTo(0.5);
    assertThat(of(Since.STRUCK, List.of(), List.of(), ended).submitShare()).isEqualTo(-1);
  }

  private static final int MANY = 10_000;

  private static final Asked BACKLOG =
      Asked.sent(0, MANY, null, true, 1).answered(Answer.OK, 2_000, List.of(JOB));

  /** Twenty starts a second, but for a pause from 200 ms after the blow. */
  private static List<Run> runs(int pauseMillis) {
    List<Run> runs = new ArrayList<>();
    for (int at = 5_000; at < 30_000; at += 50) {
      if (at < 10_200 || at >= 10_200 + pauseMillis) {
        runs.add(run("1." + at, at));
      }
    }
    return runs;
  }

  private static Recovery afterPause(int pauseMillis, boolean backlog, List<Struck> later) {
    Struck fault = struck(Since.STRUCK);
    List<Struck> all = new ArrayList<>(later);
    all.add(fault);
    return new Recovery.Reader(SEED, backlog, all, runs(pauseMillis), List.of(BACKLOG), List.of())
        .of(fault);
  }

  private static Recovery afterPause(int pauseMillis, boolean backlog) {
    return afterPause(pauseMillis, backlog, List.of());
  }

  private static Struck next(long millis) {
    return new Struck(
        1, "a", "a", Hit.NONE, Set.of(), 1, Since.STRUCK, 10_000 + millis, 10_000 + millis);
  }

  @Test
  void withABacklogDispatchIsBackAfterTheLastSecondWithFewStarts() {
    assertThat(afterPause(0, true).dispatchMillis()).isZero();
    assertThat(afterPause(0, true).pauseMillis()).isEqualTo(50);
    assertThat(afterPause(1_400, true).dispatchMillis()).isEqualTo(2_000);
    assertThat(afterPause(1_400, true).pauseMillis()).isEqualTo(1_450);
    assertThat(afterPause(1_400, true).notBack()).isFalse();
    assertThat(afterPause(1_400, false).dispatchMillis()).isEqualTo(-1);
    assertThat(afterPause(1_400, false).pauseMillis()).isEqualTo(-1);
  }

  @Test
  void nothingIsSaidOfDispatchWhenTheNextFaultComesWithinASecond() {
    Recovery recovery = afterPause(1_400, true, List.of(next(600)));
    assertThat(recovery.dispatchMillis()).isEqualTo(-1);
    assertThat(recovery.pauseMillis()).isEqualTo(-1);
    assertThat(recovery.notBack()).isFalse();
  }

  @Test
  void dispatchThatIsNotBackAtTheNextFaultCountsAsTheLongestTime() {
    Recovery recovery = afterPause(1_400, true, List.of(next(1_500)));
    assertThat(recovery.notBack()).isTrue();
    assertThat(recovery.dispatchMillis()).isEqualTo(10_000);
  }

  @Test
  void dispatchThatNeverComesBackCountsAsTheLongestTime() {
    Recovery recovery = afterPause(20_000, true);
    assertThat(recovery.notBack()).isTrue();
    assertThat(recovery.dispatchMillis()).isEqualTo(10_000);
    assertThat(recovery.pauseMillis()).isEqualTo(9_850);
  }

  @Test
  void dispatchThatWasAwayBeforeTheBlowIsNotBack() {
    Struck fault = struck(Since.STRUCK);
    Recovery recovery =
        new Recovery.Reader(
                SEED, true, List.of(fault), List.of(run("1.1", 5_000)), List.of(BACKLOG), List.of())
            .of(fault);
    assertThat(recovery.notBack()).isTrue();
    assertThat(recovery.dispatchMillis()).isEqualTo(10_000);
  }

  @Test
  void aBacklogThatIsUsedUpEndsTheLookAtDispatch() {
    Struck fault = struck(Since.STRUCK);
    List<Long> ended = Collections.nCopies(MANY * 2 / 3, 10_100L);
    Recovery recovery =
        new Recovery.Reader(SEED, true, List.of(fault), runs(5_000), List.of(BACKLOG), ended)
            .of(fault);
    assertThat(recovery.notBack()).isFalse();
    assertThat(recovery.dispatchMillis()).isEqualTo(-1);
  }
}
