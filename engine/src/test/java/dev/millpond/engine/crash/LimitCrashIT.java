package dev.millpond.engine.crash;

import static dev.millpond.engine.crash.CrashScene.Mode.STREAMS;
import static dev.millpond.faults.Moment.UNANSWERED;
import static dev.millpond.faults.Moment.UNCOMMITTED;
import static dev.millpond.faults.Moment.UNSENT;
import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.engine.crash.CrashScene.Mode;
import dev.millpond.engine.crash.Task.What;
import dev.millpond.engine.flow.Limit;
import dev.millpond.engine.flow.Pause.Scope;
import dev.millpond.faults.Fault;
import dev.millpond.faults.Moment;
import dev.millpond.faults.Step;

/** A worker is killed, or loses its connection, while it holds the only place under a limit. */
class LimitCrashIT {
  private static final int JOBS = 3;

  private static final String RUNNING =
      "SELECT count(*) FROM millpond.job_state WHERE phase = 'running'";

  /** One job at a time, and waits until the subject goes by it. */
  private static void limit(CrashScene scene) {
    Limit limit = new Limit(1, null);
    long version = scene.producer().flow().setLimit(Scope.QUEUE, scene.queue(), limit).version();
    scene.subject().awaitSettings(version);
  }

  private static void dies(Mode mode, Moment moment, long held) throws Exception {
    try (CrashScene scene = CrashScene.open(mode)) {
      limit(scene);
      scene.submit(What.SUCCEED, JOBS);
      scene.strike(scene.killAt(Step.CLAIM_LIMITED, moment), "work");
      CrashScene.await(() -> scene.count(RUNNING) == held);
      scene.finish();
      assertThat(scene.subjectRuns()).isZero();
      assertThat(scene.fleetRuns()).isEqualTo(JOBS);
      assertThat(scene.count(RUNNING)).isZero();
      assertThat(scene.count("SELECT max(attempt) FROM millpond.job_outcome")).isEqualTo(1);
    }
  }

  @CrashTestInBothModes
  void beforeALimitedClaimCommitsNothingIsHeld(Mode mode) throws Exception {
    dies(mode, UNSENT, 0);
  }

  @CrashTest
  void aLimitedClaimWhoseCommitIsLostHoldsNothing() throws Exception {
    dies(STREAMS, UNCOMMITTED, 0);
  }

  @CrashTestInBothModes
  void afterALimitedClaimCommitsThePlaceOfTheDeadIsFreeOnceItsJobIsRescued(Mode mode)
      throws Exception {
    dies(mode, UNANSWERED, 1);
  }

  @CrashTest
  void aWorkerThatRunsAndDiesLeavesItsPlace() throws Exception {
    try (CrashScene scene = CrashScene.open(STREAMS)) {
      limit(scene);
      scene.submit(What.WAIT, JOBS);
      scene.subject().tell("work");
      CrashScene.await(() -> scene.subjectRuns() == 1);
      scene.subject().kill();
      scene.finish();
      assertThat(scene.subjectRuns()).isEqualTo(1);
      assertThat(scene.fleetRuns()).isEqualTo(JOBS);
    }
  }

  /** The worker lives on, and does not know whether it holds the place. */
  private static void claimIsInDoubt(Moment moment) throws Exception {
    try (CrashScene scene = CrashScene.open(STREAMS)) {
      limit(scene);
      scene.submit(What.SUCCEED, JOBS);
      Fault cut = scene.cutAt(Step.CLAIM_LIMITED, moment);
      scene.strike(cut, "work");
      scene.awaitOutcomes(JOBS);
      assertThat(scene.subjectRuns()).isEqualTo(JOBS);
      scene.finish();
    }
  }

  @CrashTest
  void aClaimOfWhichNobodyHeardIsGivenBackByTheWorkerThatMadeIt() throws Exception {
    claimIsInDoubt(UNANSWERED);
  }

  @CrashTest
  void aClaimThatNeverWasHoldsNothing() throws Exception {
    claimIsInDoubt(UNSENT);
  }
}
