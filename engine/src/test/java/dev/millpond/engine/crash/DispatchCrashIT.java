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

/** The feeder's process, or a worker, is killed between a waiting row and the handler. */
class DispatchCrashIT {
  private static final int JOBS = 3;

  /** The feeder is killed there; the jobs run once. */
  private static void feederDies(Step step, Moment moment) throws Exception {
    try (CrashScene scene = CrashScene.open(STREAMS)) {
      scene.submitWaiting(What.SUCCEED, JOBS);
      scene.strike(scene.killAt(step, moment), "maintain");
      scene.finish();
      assertThat(scene.outcomes()).isEqualTo(JOBS);
      assertThat(scene.fleetRuns()).isEqualTo(JOBS);
    }
  }

  @CrashTest
  void beforeRowsAreMarkedAsSentTheyWait() throws Exception {
    feederDies(Step.FEED, UNSENT);
  }

  @CrashTest
  void rowsMarkedAsSentThatNoStreamHasAreFound() throws Exception {
    feederDies(Step.FEED, UNANSWERED);
  }

  @CrashTest
  void beforeTheFeedersXaddTheRowsAreFound() throws Exception {
    feederDies(Step.XADD, UNSENT);
  }

  @CrashTest
  void afterTheFeedersXaddTheEntriesCount() throws Exception {
    feederDies(Step.XADD, UNANSWERED);
  }

  /** A worker is killed there, before it has started anything; the jobs run once, elsewhere. */
  private static void claimerDies(Mode mode, Step step, Moment moment) throws Exception {
    try (CrashScene scene = CrashScene.open(mode)) {
      scene.submit(What.SUCCEED, JOBS);
      scene.strike(scene.killAt(step, moment), "work");
      scene.finish();
      assertThat(scene.subjectRuns()).isZero();
      assertThat(scene.outcomes()).isEqualTo(JOBS);
      assertThat(scene.fleetRuns()).isEqualTo(JOBS);
    }
  }

  @CrashTest
  void entriesThatWereReadByADeadWorkerRunElsewhere() throws Exception {
    claimerDies(STREAMS, Step.READ, UNANSWERED);
  }

  @CrashTest
  void entriesWithoutAClaimHintRunElsewhere() throws Exception {
    claimerDies(STREAMS, Step.HINT, UNSENT);
  }

  @CrashTest
  void theClaimHintOfADeadWorkerTurnsNobodyAway() throws Exception {
    claimerDies(STREAMS, Step.HINT, UNANSWERED);
  }

  @CrashTest
  void batchesThatWereClaimedAndNotLoadedRunElsewhere() throws Exception {
    claimerDies(STREAMS, Step.LOAD, UNSENT);
  }

  @CrashTestInBothModes
  void batchesThatWereLoadedAndNotStartedRunElsewhere(Mode mode) throws Exception {
    claimerDies(mode, Step.LOAD, UNANSWERED);
  }

  @CrashTest
  void aClaimThatDoesNotCommitHoldsNothing() throws Exception {
    claimerDies(POSTGRES, Step.CLAIM, UNCOMMITTED);
  }

  @CrashTest
  void aClaimThatNobodyHeardOfIsGivenToOthers() throws Exception {
    claimerDies(POSTGRES, Step.CLAIM, UNANSWERED);
  }

  /** A worker is killed while it gives back a kind that it does not know. */
  private static void giverDies(Moment moment) throws Exception {
    try (CrashScene scene = CrashScene.open(STREAMS)) {
      scene.submitOther();
      scene.strike(scene.killAt(Step.GIVE_BACK, moment), "work");
      scene.finish();
      assertThat(scene.subjectRuns()).isZero();
      assertThat(scene.fleetRuns()).isEqualTo(1);
    }
  }

  @CrashTest
  void beforeAnUnknownKindIsGivenBackTheReaperFindsIt() throws Exception {
    giverDies(UNSENT);
  }

  @CrashTest
  void afterAnUnknownKindIsGivenBackAnotherWorkerHasIt() throws Exception {
    giverDies(UNANSWERED);
  }
}
