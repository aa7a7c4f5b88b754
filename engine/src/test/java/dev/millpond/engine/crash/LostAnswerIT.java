package dev.millpond.engine.crash;

import static dev.millpond.engine.crash.CrashScene.Mode.POSTGRES;
import static dev.millpond.engine.crash.CrashScene.Mode.STREAMS;
import static dev.millpond.faults.Moment.UNANSWERED;
import static dev.millpond.faults.Moment.UNCOMMITTED;
import static dev.millpond.faults.Moment.UNSENT;
import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.api.JobOptions;
import dev.millpond.engine.Fleet;
import dev.millpond.engine.crash.CrashScene.Mode;
import dev.millpond.engine.crash.Task.What;
import dev.millpond.faults.Fault;
import dev.millpond.faults.Moment;
import dev.millpond.faults.Step;
import java.time.Duration;
import java.util.UUID;

/**
 * The connection is cut there and the process lives on (rule R15): it cannot know what became of
 * its commit, and the server does not notice that it is gone.
 */
class LostAnswerIT {
  private static final int JOBS = 3;
  private static final String SUBMIT = "submit " + JOBS;

  /** The subject submits, and is told in the end. */
  private static void submitterIsCutOff(Moment moment, int markersFound) throws Exception {
    try (CrashScene scene = CrashScene.open(STREAMS)) {
      Fault found = scene.countOfMarkersFound();
      scene.strike(scene.cutAt(Step.SUBMIT, moment), SUBMIT);
      scene.subject().awaitDone(SUBMIT);
      scene.finish();
      assertThat(scene.acknowledged()).hasSize(JOBS);
      assertThat(scene.jobs()).isEqualTo(JOBS);
      assertThat(scene.fleetRuns()).isEqualTo(JOBS);
      assertThat(found.seen()).isEqualTo(markersFound);
    }
  }

  @CrashTest
  void aSubmitThatHadBeenCommittedIsFoundByItsMarker() throws Exception {
    submitterIsCutOff(UNANSWERED, 1);
  }

  @CrashTest
  void aSubmitThatHungBeforeItsCommitIsEndedAndSentAgain() throws Exception {
    submitterIsCutOff(UNCOMMITTED, 0);
  }

  @CrashTest
  void aKeyedSubmitThatHadBeenCommittedIsFoundByItsMarker() throws Exception {
    try (CrashScene scene = CrashScene.open(POSTGRES)) {
      Fault found = scene.countOfMarkersFound();
      scene.strike(scene.cutAt(Step.SUBMIT_KEYED, UNANSWERED), "submit-keyed k");
      scene.subject().awaitDone("submit-keyed k");
      scene.finish();
      assertThat(scene.acknowledged()).hasSize(1);
      assertThat(scene.jobs()).isEqualTo(1);
      assertThat(scene.fleetRuns()).isEqualTo(1);
      assertThat(found.seen()).isEqualTo(1);
    }
  }

  @CrashTest
  void aSubmitWhoseAnswerWasLostForLongIsLeftToTheReconciler() throws Exception {
    try (CrashScene scene = CrashScene.open(STREAMS)) {
      scene.heal();
      Fault sent = scene.countOf(Step.XADD);
      scene.strike(scene.cutAt(Step.SUBMIT, UNANSWERED, () -> scene.outcomes() == JOBS), SUBMIT);
      scene.subject().awaitDone(SUBMIT);
      scene.finish();
      assertThat(scene.acknowledged()).hasSize(JOBS);
      assertThat(scene.fleetRuns()).isEqualTo(JOBS);
      assertThat(sent.seen()).isZero();
    }
  }

  /** The subject works, and ends its job whatever happens to its flush. */
  private static void workerIsCutOff(
      Mode mode, What what, Step step, Moment moment, int runs, int markersFound) throws Exception {
    try (CrashScene scene = CrashScene.open(mode)) {
      scene.submit(what, 1);
      Fault found = scene.countOfMarkersFound();
      scene.strike(scene.cutAt(step, moment), "work");
      scene.finish();
      assertThat(scene.subject().isAlive()).isTrue();
      assertThat(scene.subjectRuns() + scene.fleetRuns()).isEqualTo(runs);
      // The job has ended before its writer has heard so.
      Fleet.until("the marker is met", () -> found.seen() >= markersFound);
      assertThat(found.seen()).isEqualTo(markersFound);
    }
  }

  @CrashTestInBothModes
  void anOutcomeThatHadBeenCommittedIsFoundByItsMarker(Mode mode) throws Exception {
    workerIsCutOff(mode, What.SUCCEED, Step.OUTCOME, UNANSWERED, 1, 1);
  }

  @CrashTest
  void anOutcomeThatHungBeforeItsCommitIsEndedAndSentAgain() throws Exception {
    workerIsCutOff(STREAMS, What.SUCCEED, Step.OUTCOME, UNCOMMITTED, 1, 0);
  }

  @CrashTest
  void aRetryThatHadBeenCommittedIsFoundByItsMarker() throws Exception {
    workerIsCutOff(STREAMS, What.FAIL_ONCE, Step.RETRY, UNANSWERED, 2, 1);
  }

  @CrashTest
  void aRetryThatHungBeforeItsCommitIsEndedAndSentAgain() throws Exception {
    workerIsCutOff(STREAMS, What.FAIL_ONCE, Step.RETRY, UNSENT, 2, 0);
  }

  @CrashTest
  void aDeadLetterThatHadBeenCommittedIsFoundByItsMarker() throws Exception {
    workerIsCutOff(STREAMS, What.FATAL_ONCE, Step.BURY, UNANSWERED, 1, 1);
  }

  @CrashTest
  void aReadWhoseAnswerWasLostIsRescued() throws Exception {
    workerIsCutOff(STREAMS, What.SUCCEED, Step.READ, UNANSWERED, 1, 0);
  }

  @CrashTest
  void aClaimHintWhoseAnswerWasLostHoldsNobodyUp() throws Exception {
    workerIsCutOff(STREAMS, What.SUCCEED, Step.HINT, UNANSWERED, 1, 0);
  }

  @CrashTest
  void aClaimWhoseAnswerWasLostIsRescued() throws Exception {
    workerIsCutOff(POSTGRES, What.SUCCEED, Step.CLAIM, UNANSWERED, 1, 0);
  }

  @CrashTest
  void aHandlersOwnTransactionThatHadBeenCommittedIsNotRepeated() throws Exception {
    workerIsCutOff(POSTGRES, What.EFFECT, Step.EFFECT, UNANSWERED, 1, 0);
  }

  @CrashTest
  void aHandlersOwnTransactionThatHungBeforeItsCommitRunsAgain() throws Exception {
    workerIsCutOff(POSTGRES, What.EFFECT, Step.EFFECT, UNSENT, 2, 0);
  }

  @CrashTest
  void aDissolveThatHadBeenCommittedIsFoundByItsMarkerAndItsJobGoesOn() throws Exception {
    try (CrashScene scene = CrashScene.open(STREAMS)) {
      scene.submit(What.WAIT, 1);
      Fault found = scene.countOfMarkersFound();
      scene.strike(scene.cutAt(Step.DISSOLVE, UNANSWERED), "work");
      scene.subject().tell("open");
      scene.awaitOutcomes(1);
      scene.finish();
      assertThat(scene.subjectRuns()).isEqualTo(1);
      assertThat(scene.fleetRuns()).isZero();
      assertThat(found.seen()).isEqualTo(1);
    }
  }

  @CrashTest
  void anOutcomeThatComesAfterTheRescueIsDiscarded() throws Exception {
    try (CrashScene scene = CrashScene.open(STREAMS)) {
      scene.submit(What.SUCCEED, 1);
      Fault held = scene.holdAt(Step.OUTCOME, UNSENT, () -> scene.outcomes() == 1);
      scene.subject().tell("work");
      CrashScene.await(() -> scene.subjectRuns() == 1);
      scene.heal();
      scene.awaitStruck(held);
      scene.finish();
      assertThat(scene.subjectRuns() + scene.fleetRuns()).isEqualTo(2);
      assertThat(scene.count("SELECT min(lease_token) FROM millpond.job_outcome")).isEqualTo(2);
    }
  }

  @CrashTest
  void aResultForATimeThatHadBeenCommittedIsFoundByItsMarker() throws Exception {
    try (CrashScene scene = CrashScene.open(POSTGRES)) {
      scene.submit(What.RESULT, JobOptions.DEFAULT.withResultTtl(Duration.ofHours(1)), 1);
      Fault found = scene.countOfMarkersFound();
      scene.strike(scene.cutAt(Step.RESULT, UNANSWERED), "work");
      scene.awaitOutcomes(1);
      scene.finish();
      assertThat(scene.subjectRuns() + scene.fleetRuns()).isEqualTo(1);
      assertThat(scene.count("SELECT count(*) FROM millpond.job_result")).isEqualTo(1);
      CrashScene.await(() -> found.seen() == 1);
    }
  }

  @CrashTest
  void aRunNowThatHadBeenCommittedIsInDoubtAndRunsOnce() throws Exception {
    try (CrashScene scene = CrashScene.open(POSTGRES)) {
      UUID job = scene.submitForLater();
      String runNow = "run-now " + job;
      scene.strike(scene.cutAt(Step.CHANGE, UNANSWERED), runNow);
      scene.subject().awaitDone(runNow);
      assertThat(scene.subject().said()).contains("UnavailableException");
      scene.finish();
      assertThat(scene.fleetRuns()).isEqualTo(1);
    }
  }

  @CrashTest
  void aRedriveThatHadBeenCommittedIsNotRepeated() throws Exception {
    try (CrashScene scene = CrashScene.open(POSTGRES)) {
      UUID job = scene.submit(What.FATAL_ONCE, 1).getFirst();
      scene.heal();
      scene.awaitAllEnded();
      String redrive = "redrive " + job;
      scene.strike(scene.cutAt(Step.REDRIVE, UNANSWERED), redrive);
      scene.subject().awaitDone(redrive);
      assertThat(scene.subject().said()).contains("UnavailableException");
      scene.awaitOutcomes(1);
      scene.finish();
      assertThat(scene.fleetRuns()).isEqualTo(2);
    }
  }
}
