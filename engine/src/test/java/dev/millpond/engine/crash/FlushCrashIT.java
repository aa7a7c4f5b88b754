package dev.millpond.engine.crash;

import static dev.millpond.engine.crash.CrashScene.Mode.POSTGRES;
import static dev.millpond.engine.crash.CrashScene.Mode.STREAMS;
import static dev.millpond.faults.Moment.UNANSWERED;
import static dev.millpond.faults.Moment.UNCOMMITTED;
import static dev.millpond.faults.Moment.UNSENT;
import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.engine.crash.CrashScene.Mode;
import dev.millpond.engine.crash.Task.What;
import dev.millpond.faults.Moment;
import dev.millpond.faults.Step;

/** A worker is killed between the end of a handler and the removal of its entry. */
class FlushCrashIT {

  /** One job, whose worker is killed there. */
  private static void workerDies(Mode mode, What what, Step step, Moment moment, int runsAgain)
      throws Exception {
    try (CrashScene scene = CrashScene.open(mode)) {
      scene.submit(what, 1);
      scene.strike(scene.killAt(step, moment), "work");
      scene.finish();
      assertThat(scene.subjectRuns()).isEqualTo(1);
      assertThat(scene.fleetRuns()).isEqualTo(runsAgain);
    }
  }

  @CrashTest
  void beforeTheOutcomeIsSentTheJobRunsAgain() throws Exception {
    workerDies(STREAMS, What.SUCCEED, Step.OUTCOME, UNSENT, 1);
  }

  @CrashTest
  void beforeTheOutcomeCommitsTheJobRunsAgain() throws Exception {
    workerDies(POSTGRES, What.SUCCEED, Step.OUTCOME, UNCOMMITTED, 1);
  }

  @CrashTestInBothModes
  void afterTheOutcomeCommitsTheJobDoesNotRunAgain(Mode mode) throws Exception {
    workerDies(mode, What.SUCCEED, Step.OUTCOME, UNANSWERED, 0);
  }

  @CrashTest
  void anEntryOfAnEndedBatchIsRemovedByOthers() throws Exception {
    workerDies(STREAMS, What.SUCCEED, Step.XDEL, UNSENT, 0);
  }

  @CrashTest
  void halfARemovalIsFinishedByOthers() throws Exception {
    workerDies(STREAMS, What.SUCCEED, Step.XACK, UNSENT, 0);
  }

  @CrashTest
  void aRemovalThatNobodyHeardOfIsDone() throws Exception {
    workerDies(STREAMS, What.SUCCEED, Step.XACK, UNANSWERED, 0);
  }

  @CrashTest
  void afterTheFirstOutcomesOfABatchOnlyTheRestRunsAgain() throws Exception {
    try (CrashScene scene = CrashScene.open(STREAMS)) {
      scene.submit(What.SUCCEED, What.SUCCEED, What.WAIT, What.WAIT);
      scene.strike(scene.killAt(Step.PART, UNANSWERED), "work");
      scene.finish();
      long committed =
          scene.count("SELECT count(*) FROM millpond.job_outcome WHERE lease_token = 1");
      assertThat(committed).isBetween(1L, 2L);
      assertThat(scene.fleetRuns()).isEqualTo(4 - committed);
    }
  }

  @CrashTest
  void beforeARetryCommitsTheSameAttemptRunsAgain() throws Exception {
    workerDies(STREAMS, What.FAIL_ONCE, Step.RETRY, UNSENT, 2);
  }

  @CrashTest
  void afterARetryCommitsTheNextAttemptRuns() throws Exception {
    workerDies(STREAMS, What.FAIL_ONCE, Step.RETRY, UNANSWERED, 1);
  }

  @CrashTest
  void beforeADeadLetterCommitsTheJobRunsAgain() throws Exception {
    workerDies(STREAMS, What.FATAL_ONCE, Step.BURY, UNSENT, 1);
  }

  @CrashTest
  void afterADeadLetterCommitsTheJobStaysDead() throws Exception {
    workerDies(STREAMS, What.FATAL_ONCE, Step.BURY, UNANSWERED, 0);
  }
}
