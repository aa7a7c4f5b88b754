package dev.millpond.chaos.campaign;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.chaos.campaign.Finding.Rule;
import dev.millpond.chaos.journal.Asked;
import dev.millpond.chaos.journal.Asked.Answer;
import dev.millpond.chaos.journal.Run;
import dev.millpond.chaos.journal.Run.End;
import dev.millpond.chaos.store.Tables.JobRow;
import dev.millpond.chaos.work.Payment;
import dev.millpond.chaos.work.Work;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/** The checks have to find what is planted here, and nothing in a campaign that went well. */
class ChecksTest {
  private static final long SEED = 7;

  /** A list of this many jobs was taken; all kinds are among them. */
  private static final int JOBS = 200;

  /** Long before they ran. */
  private static final long ASKED_MILLIS = -10_000;

  private final List<Asked> asked = new ArrayList<>();
  private final List<Run> runs = new ArrayList<>();
  private final List<Payment> payments = new ArrayList<>();
  private final List<JobRow> rows = new ArrayList<>();

  ChecksTest() {
    List<UUID> ids = new ArrayList<>();
    for (int number = 0; number < JOBS; number++) {
      ids.add(new UUID(1, number));
      add(number);
    }
    asked.add(Asked.sent(0, JOBS, null, true, ASKED_MILLIS).answered(Answer.OK, 2, ids));
  }

  /** A job that went as planned. */
  private void add(long number) {
    Work work = Work.of(SEED, number);
    UUID id = new UUID(1, number);
    int attempts = 1 + work.fails();
    for (int attempt = 1; attempt <= attempts; attempt++) {
      End end = attempt < attempts ? End.FAILED_ON_PURPOSE : End.SUCCEEDED;
      runs.add(run(id, number, attempt, end));
    }
    if (work.kind().equals(Work.PAY)) {
      payments.add(new Payment(id, number, attempts, name(number, attempts)));
    }
    rows.add(
        new JobRow(
            id,
            work.kind(),
            work.payload(),
            "succeeded",
            attempts,
            attempts,
            "{\"number\":%d,\"run\":\"%s\"}".formatted(number, name(number, attempts)),
            Instant.EPOCH,
            null,
            null));
  }

  private static Run run(UUID id, long number, int token, End end) {
    return new Run(name(number, token), number, id, token, token, 10, end, 20);
  }

  private static String name(long number, int token) {
    return "1.2." + number + "-" + token;
  }

  private Verdict verdict() {
    return verdict(0);
  }

  private Verdict verdict(int limit) {
    Checks checks = new Checks(SEED, limit, asked, runs, payments);
    rows.forEach(checks::job);
    return checks.verdict();
  }

  private void assertFound(Rule rule, String what) {
    assertThat(verdict().findings())
        .anySatisfy(finding -> {
          assertThat(finding.rule()).isEqualTo(rule);
          assertThat(finding.what()).contains(what);
        });
  }

  private void change(int number, UnaryOperator<JobRow> change) {
    rows.set(number, change.apply(rows.get(number)));
  }

  private static int first(String kind) {
    for (int number = 0; number < JOBS; number++) {
      if (Work.of(SEED, number).kind().equals(kind)) {
        return number;
      }
    }
    throw new IllegalStateException("the seed has no " + kind);
  }

  @Test
  void aCampaignThatWentWellHasNoFindings() {
    Verdict verdict = verdict();
    assertThat(verdict.findings()).isEmpty();
    assertThat(verdict.acknowledged()).isEqualTo(JOBS);
    assertThat(verdict.ended()).isEqualTo(JOBS);
    assertThat(verdict.extraRuns()).isZero();
    assertThat(verdict.burned()).isZero();
  }

  @Test
  void anAcknowledgedJobThatIsNotThereIsLost() {
    rows.remove(17);
    assertFound(Rule.LOST, "1 of the 200 jobs from number 0");
  }

  @Test
  void anAcknowledgedJobThatHasNotEndedIsLost() {
    change(
        3,
        row ->
            new JobRow(
                row.id(), row.kind(), row.payload(), null, 0, 0, null, null, "running", null));
    assertFound(Rule.LOST, "number 3: has not succeeded, phase running");
  }

  /** Its processes died so often, and then the product gave it up. */
  private void bury(int number, int deaths, String reason) {
    UUID id = new UUID(1, number);
    runs.removeIf(run -> run.job().equals(id));
    for (int death = 1; death <= deaths; death++) {
      String name = death + ".2." + number;
      runs.add(new Run(name, number, id, death, 1, 10, End.OPEN, 0));
    }
    change(
        number,
        row -> new JobRow(id, row.kind(), row.payload(), "dead", 3, 1, null, null, null, reason));
  }

  @Test
  void aJobWhoseProcessesWereKilledTwiceMayBeBuriedAsPoison() {
    bury(first(Work.LONG), 2, "poison");
    Verdict verdict = verdict();
    assertThat(verdict.findings()).isEmpty();
    assertThat(verdict.buried()).isEqualTo(1);
    assertThat(verdict.ended()).isEqualTo(JOBS - 1);
  }

  @Test
  void aJobThatIsBuriedWithoutTwoDeathsIsLost() {
    bury(first(Work.LONG), 1, "poison");
    assertFound(Rule.LOST, "has not succeeded, dead letter, poison");
    assertThat(verdict().buried()).isZero();
  }

  @Test
  void aJobThatIsADeadLetterForAnotherReasonIsLost() {
    bury(first(Work.LONG), 2, "exhausted");
    assertFound(Rule.LOST, "has not succeeded, dead letter, exhausted");
  }

  @Test
  void aDelayedJobThatRunsBeforeItsTimeIsEarly() {
    int number = 0;
    while (Work.of(SEED, number).delayMillis() <= Checks.EARLY_MOST_MILLIS) {
      number++;
    }
    long due = ASKED_MILLIS + Work.of(SEED, number).delayMillis();
    start(number, due - Checks.EARLY_MOST_MILLIS);
    assertThat(verdict().findings()).isEmpty();
    assertThat(verdict().earliestMillis()).isEqualTo(Checks.EARLY_MOST_MILLIS);
    start(number, due - Checks.EARLY_MOST_MILLIS - 1);
    assertFound(Rule.EARLY, "began 101 ms before its time");
  }

  private void start(int number, long millis) {
    runs.replaceAll(run ->
        run.number() == number
            ? new Run(
                run.name(),
                run.number(),
                run.job(),
                run.token(),
                run.attempt(),
                millis,
                run.end(),
                millis)
            : run);
  }

  @Test
  void oneMoreOfTheLimitedQueueAtOnceIsFound() {
    Verdict verdict = verdict();
    int most = verdict.limitedMost();
    assertThat(most).isGreaterThan(1);
    assertThat(verdict(most).findings()).isEmpty();
    assertThat(verdict(most - 1).findings())
        .singleElement()
        .satisfies(finding -> assertThat(finding.rule()).isEqualTo(Rule.LIMIT));
  }

  @Test
  void aRunWhoseEndWasTurnedAwayHeldNoPlaceAtTheEnd() {
    int number = 0;
    while (!Work.of(SEED, number).queue().equals(Work.LIMITED_QUEUE)) {
      number++;
    }
    int most = verdict().limitedMost();
    runs.add(run(new UUID(1, number), number, 9, End.OPEN));
    assertThat(verdict().limitedMost()).isEqualTo(most);
  }

  @Test
  void aJobThatNobodyAskedForIsUnexpected() {
    add(JOBS + 5);
    assertFound(Rule.UNEXPECTED, "nobody asked for it");
  }

  @Test
  void aJobThatIsThereTwiceIsUnexpected() {
    JobRow row = rows.get(9);
    rows.add(
        new JobRow(
            new UUID(2, 9), row.kind(), row.payload(), null, 0, 0, null, null, "runnable", null));
    assertFound(Rule.UNEXPECTED, "number 9 is there twice");
  }

  @Test
  void aRefusedJobThatIsThereIsUnexpected() {
    asked.add(Asked.sent(JOBS, 1, null, true, 1).answered(Answer.REFUSED, 2, List.of()));
    assertThat(verdict().clean()).isTrue();
    add(JOBS);
    assertFound(Rule.UNEXPECTED, "had been refused");
  }

  @Test
  void anUnknownListIsThereAsAWholeOrNotAtAll() {
    asked.add(Asked.sent(JOBS, 2, null, true, 1));
    assertThat(verdict().findings()).isEmpty();
    add(JOBS);
    assertFound(Rule.UNEXPECTED, "1 of the 2 jobs from number 200 are there");
    add(JOBS + 1);
    assertThat(verdict().findings()).isEmpty();
    assertThat(verdict().unknownThere()).isEqualTo(2);
  }

  @Test
  void anEndBelowATokenThatHasRunIsStale() {
    int number = first(Work.PLAIN);
    runs.add(run(new UUID(1, number), number, 2, End.SUCCEEDED));
    assertFound(Rule.STALE, "number " + number + ": ended at token 1");
    assertThat(verdict().extraRuns()).isEqualTo(1);
    assertThat(verdict().rejected()).isEqualTo(1);
  }

  @Test
  void anEndWithTheResultOfAnotherTokensRunIsStale() {
    int number = first(Work.PLAIN);
    UUID id = new UUID(1, number);
    runs.add(run(id, number, 2, End.SUCCEEDED));
    change(
        number,
        row ->
            new JobRow(
                id,
                row.kind(),
                row.payload(),
                "succeeded",
                2,
                1,
                row.result(),
                Instant.EPOCH,
                null,
                null));
    assertFound(Rule.STALE, "which had token 1");
  }

  @Test
  void aSecondPaymentIsADoubleEffect() {
    int number = first(Work.PAY);
    payments.add(new Payment(new UUID(1, number), number, 2, name(number, 2)));
    assertFound(Rule.DOUBLE, "number " + number);
  }

  @Test
  void aPaymentOfAJobThatIsNotThereIsFound() {
    payments.add(new Payment(new UUID(3, 3), 3, 1, "1.2.3"));
    assertFound(Rule.DOUBLE, "has paid, and is not there");
  }

  @Test
  void aPaymentThatIsMissingIsFound() {
    payments.clear();
    assertFound(Rule.DOUBLE, "paid []");
  }

  @Test
  void anExtraRunThatWasTurnedAwayIsCountedAndInOrder() {
    int number = first(Work.PLAIN);
    UUID id = new UUID(1, number);
    runs.add(run(id, number, 2, End.SUCCEEDED));
    change(
        number,
        row ->
            new JobRow(
                id,
                row.kind(),
                row.payload(),
                "succeeded",
                2,
                1,
                "{\"run\":\"" + name(number, 2) + "\"}",
                Instant.EPOCH,
                null,
                null));
    Verdict verdict = verdict();
    assertThat(verdict.findings()).isEmpty();
    assertThat(verdict.extraRuns()).isEqualTo(1);
    assertThat(verdict.rejected()).isEqualTo(1);
  }
}
