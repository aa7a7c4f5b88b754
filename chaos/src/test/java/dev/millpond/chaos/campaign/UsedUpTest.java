package dev.millpond.chaos.campaign;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.chaos.fault.Fault.Since;
import dev.millpond.chaos.fault.Hit;
import dev.millpond.chaos.journal.Run;
import dev.millpond.chaos.journal.Run.End;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class UsedUpTest {
  private static final UUID JOB = new UUID(1, 1);

  private static Run run(long pid, int token, int attempt, long started, End end) {
    return new Run(pid + "." + token, 1, JOB, token, attempt, started, end, started + 1);
  }

  private static Struck struck(int number, Set<UUID> jobs, Set<Long> pids, long from, long to) {
    return new Struck(number, "a", "a", new Hit(jobs, 0), pids, 1, Since.STRUCK, from, to);
  }

  private static final List<Run> KILLED_IN_THE_FIRST =
      List.of(run(7, 1, 1, 100, End.OPEN), run(8, 2, 2, 3_000, End.SUCCEEDED));

  @Test
  void anAttemptThatFailedOnPurposeIsNotUsedUpByAFault() {
    List<Run> runs =
        List.of(
            run(7, 1, 1, 100, End.FAILED_ON_PURPOSE),
            run(7, 2, 2, 300, End.OPEN),
            run(8, 3, 3, 3_000, End.SUCCEEDED));
    assertThat(UsedUp.of(JOB, runs, 3)).containsExactly(new UsedUp(JOB, 7, 300, 3_000));
  }

  @Test
  void aRunThatWasRepeatedUnderTheSameNumberHasUsedUpNothing() {
    List<Run> runs = List.of(run(7, 1, 1, 100, End.OPEN), run(8, 2, 1, 3_000, End.SUCCEEDED));
    assertThat(UsedUp.of(JOB, runs, 1)).isEmpty();
  }

  @Test
  void theFaultThatStruckTheProcessHasUsedItUpWhateverElseHappenedThen() {
    List<UsedUp> attempts = UsedUp.of(JOB, KILLED_IN_THE_FIRST, 2);
    assertThat(
            UsedUp.byFault(
                attempts,
                List.of(
                    struck(1, Set.of(), Set.of(7L), 200, 900),
                    struck(2, Set.of(JOB), Set.of(), 300, 900),
                    struck(3, Set.of(), Set.of(), 400, 900))))
        .isEqualTo(Map.of(1, 1L));
  }

  @Test
  void withoutOneItIsTheFaultThatHitTheJobOrElseOneOfAServer() {
    List<UsedUp> attempts = UsedUp.of(JOB, KILLED_IN_THE_FIRST, 2);
    Struck ofAnother = struck(4, Set.of(), Set.of(9L), 500, 900);
    Struck ofAServer = struck(3, Set.of(), Set.of(), 400, 900);
    Struck ofTheJob = struck(2, Set.of(JOB), Set.of(9L), 300, 900);
    assertThat(UsedUp.byFault(attempts, List.of(ofAnother, ofAServer, ofTheJob)))
        .isEqualTo(Map.of(2, 1L));
    assertThat(UsedUp.byFault(attempts, List.of(ofAnother, ofAServer))).isEqualTo(Map.of(3, 1L));
  }

  @Test
  void aFaultBeforeOrAfterItHasNotUsedItUp() {
    assertThat(
            UsedUp.byFault(
                UsedUp.of(JOB, KILLED_IN_THE_FIRST, 2),
                List.of(
                    struck(1, Set.of(JOB), Set.of(7L), 10, 99),
                    struck(2, Set.of(JOB), Set.of(7L), 3_001, 4_000))))
        .isEmpty();
  }
}
