package dev.millpond.engine.crash;

import static dev.millpond.engine.crash.CrashScene.Mode.POSTGRES;
import static dev.millpond.engine.crash.CrashScene.Mode.STREAMS;
import static dev.millpond.faults.Moment.UNANSWERED;
import static dev.millpond.faults.Moment.UNCOMMITTED;
import static dev.millpond.faults.Moment.UNSENT;
import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.engine.crash.CrashScene.Mode;
import dev.millpond.engine.crash.Task.What;
import dev.millpond.faults.Fault;
import dev.millpond.faults.Moment;
import dev.millpond.faults.Step;

/** A worker is killed between the start of a handler and the end of its batch. */
class RunCrashIT {
  private static final int BATCH = 4;

  @CrashTestInBothModes
  void aJobRunsAgainWhenItsWorkerDiesBeforeItsBatchIsDissolved(Mode mode) throws Exception {
    try (CrashScene scene = CrashScene.open(mode)) {
      scene.submit(What.WAIT, 1);
      // At its first attempt to dissolve: until then the batch is the only holder.
      scene.strike(scene.killAt(Step.DISSOLVE, UNSENT), "work");
      scene.finish();
      assertThat(scene.subjectRuns()).isEqualTo(1);
      assertThat(scene.fleetRuns()).isEqualTo(1);
    }
  }

  @CrashTest
  void aTrackedJobRunsAgainWhenItsWorkerDies() throws Exception {
    try (CrashScene scene = CrashScene.open(STREAMS)) {
      scene.submit(What.WAIT, 1);
      Fault dissolved = scene.countOf(Step.DISSOLVE);
      scene.subject().tell("work");
      CrashScene.await(() -> dissolved.seen() > 0);
      scene.subject().kill();
      assertThat(scene.count("SELECT count(*) FROM millpond.dispatch")).isZero();
      scene.finish();
      assertThat(scene.subjectRuns()).isEqualTo(1);
      assertThat(scene.fleetRuns()).isEqualTo(1);
      assertThat(scene.count("SELECT count(*) FROM millpond.job_attempt WHERE ended = 'rescued'"))
          .isEqualTo(1);
    }
  }

  /** One job of a batch runs and the others wait for the only slot when the batch is dissolved. */
  private static void dissolverDies(Moment moment, long firstTokens) throws Exception {
    try (CrashScene scene = CrashScene.open(STREAMS)) {
      scene.submit(What.WAIT, BATCH);
      scene.strike(scene.killAt(Step.DISSOLVE, moment), "work");
      scene.finish();
      assertThat(scene.subjectRuns()).isEqualTo(1);
      assertThat(scene.fleetRuns()).isEqualTo(BATCH);
      assertThat(scene.count("SELECT count(*) FROM millpond.job_outcome WHERE lease_token = 1"))
          .isEqualTo(firstTokens);
    }
  }

  @CrashTest
  void beforeADissolveCommitsTheWholeBatchIsRescued() throws Exception {
    dissolverDies(UNSENT, 0);
  }

  @CrashTest
  void afterADissolveCommitsOnlyWhatHadStartedIsRescued() throws Exception {
    dissolverDies(UNANSWERED, BATCH - 1);
  }

  /** What a handler waits for is its worker's end: the attempt is given back, not used up. */
  private static void drainingWorkerDies(Moment moment) throws Exception {
    try (CrashScene scene = CrashScene.open(STREAMS)) {
      scene.submit(What.WAIT, 1);
      scene.subject().tell("work");
      CrashScene.await(() -> scene.subjectRuns() == 1);
      scene.strike(scene.killAt(Step.HAND_BACK, moment), "drain");
      scene.finish();
      assertThat(scene.fleetRuns()).isEqualTo(1);
      assertThat(scene.count("SELECT max(attempt) FROM millpond.job_outcome")).isEqualTo(1);
    }
  }

  @CrashTest
  void beforeAHandBackCommitsTheReaperFindsTheJob() throws Exception {
    drainingWorkerDies(UNSENT);
  }

  @CrashTest
  void afterAHandBackCommitsAnotherWorkerHasTheJob() throws Exception {
    drainingWorkerDies(UNANSWERED);
  }

  /** A handler's own transaction, at its commit. */
  private static void handlersTransactionDies(Moment moment, int runsAgain) throws Exception {
    try (CrashScene scene = CrashScene.open(POSTGRES)) {
      scene.submit(What.EFFECT, 1);
      scene.strike(scene.killAt(Step.EFFECT, moment), "work");
      scene.finish();
      assertThat(scene.subjectRuns()).isEqualTo(1);
      assertThat(scene.fleetRuns()).isEqualTo(runsAgain);
      assertThat(scene.count("SELECT count(*) FROM effect")).isEqualTo(1);
    }
  }

  @CrashTest
  void beforeAHandlersOwnTransactionCommitsNeitherItsRowNorItsOutcomeIsThere() throws Exception {
    handlersTransactionDies(UNSENT, 1);
  }

  @CrashTest
  void afterAHandlersOwnTransactionCommitsBothAreThere() throws Exception {
    handlersTransactionDies(UNANSWERED, 0);
  }

  /** A job that ran for longer than a batch lives; its outcome is written by itself. */
  private static void trackedJobsWorkerDies(Moment moment, int runsAgain) throws Exception {
    try (CrashScene scene = CrashScene.open(STREAMS)) {
      scene.submit(What.WAIT, 1);
      Fault dissolved = scene.countOf(Step.DISSOLVE);
      scene.subject().tell("work");
      CrashScene.await(() -> dissolved.seen() > 0);
      scene.strike(scene.killAt(Step.OUTCOME, moment), "open");
      scene.finish();
      assertThat(scene.subjectRuns()).isEqualTo(1);
      assertThat(scene.fleetRuns()).isEqualTo(runsAgain);
    }
  }

  @CrashTest
  void beforeATrackedJobsOutcomeCommitsItRunsAgain() throws Exception {
    trackedJobsWorkerDies(UNCOMMITTED, 1);
  }

  @CrashTest
  void afterATrackedJobsOutcomeCommitsItDoesNotRunAgain() throws Exception {
    trackedJobsWorkerDies(UNANSWERED, 0);
  }
}
