package dev.millpond.engine.crash;

import static dev.millpond.engine.crash.CrashScene.Mode.POSTGRES;
import static dev.millpond.engine.crash.CrashScene.Mode.STREAMS;
import static dev.millpond.faults.Moment.UNANSWERED;
import static dev.millpond.faults.Moment.UNSENT;
import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.api.RedriveResult;
import dev.millpond.engine.crash.Task.What;
import dev.millpond.faults.Moment;
import dev.millpond.faults.Step;
import java.util.UUID;

/** The leader is killed while it reaps or promotes, or a process while it redrives. */
class MaintenanceCrashIT {
  private static final int JOBS = 3;

  /** More batches than the reaper takes in one transaction. */
  private static final int TWO_PAGES = 4 * 501;

  /** How jobs come to need the maintenance. */
  private enum Left {
    READ,
    CLAIMED,
    RUNNING,
    SCHEDULED
  }

  /** The leader is killed there; the next one finishes, and each job runs once. */
  private static void leaderDies(Left left, int jobs, Step step, Moment moment) throws Exception {
    try (CrashScene scene = CrashScene.open(left == Left.READ ? STREAMS : POSTGRES)) {
      switch (left) {
        case READ -> {
          scene.submit(What.SUCCEED, jobs);
          scene.readByGhost();
        }
        case CLAIMED -> {
          scene.submit(What.SUCCEED, jobs);
          scene.claimByGhost();
        }
        case RUNNING -> {
          scene.submit(What.SUCCEED, jobs);
          scene.runByGhost();
        }
        case SCHEDULED -> scene.submitScheduled(jobs);
      }
      scene.strike(scene.killAt(step, moment), "maintain");
      scene.finish();
      assertThat(scene.outcomes()).isEqualTo(jobs);
      assertThat(scene.fleetRuns()).isEqualTo(jobs);
    }
  }

  @CrashTest
  void entriesThatADeadLeaderHadFoundAreRescued() throws Exception {
    leaderDies(Left.READ, JOBS, Step.FIND_LEFT, UNANSWERED);
  }

  @CrashTest
  void beforeARescueCommitsTheNextLeaderRescues() throws Exception {
    leaderDies(Left.READ, JOBS, Step.RESCUE, UNSENT);
  }

  @CrashTest
  void afterARescueCommitsTheOldEntryIsRemovedByTheNextLeader() throws Exception {
    leaderDies(Left.READ, JOBS, Step.RESCUE, UNANSWERED);
  }

  @CrashTest
  void halfARemovalByTheReaperIsFinishedByTheNextLeader() throws Exception {
    leaderDies(Left.READ, JOBS, Step.XACK, UNSENT);
  }

  @CrashTest
  void afterAFenceTheNextLeaderRescuesWhatTheSessionHeld() throws Exception {
    leaderDies(Left.CLAIMED, JOBS, Step.FENCE, UNANSWERED);
  }

  @CrashTest
  void betweenTwoPagesTheNextLeaderGoesOn() throws Exception {
    leaderDies(Left.CLAIMED, TWO_PAGES, Step.RESCUE, UNANSWERED);
  }

  @CrashTest
  void beforeARescueOfARunningJobCommitsTheNextLeaderRescues() throws Exception {
    leaderDies(Left.RUNNING, JOBS, Step.RESCUE_RUNNING, UNSENT);
  }

  @CrashTest
  void afterARescueOfARunningJobCommitsItIsDispatchedOnce() throws Exception {
    leaderDies(Left.RUNNING, JOBS, Step.RESCUE_RUNNING, UNANSWERED);
  }

  @CrashTest
  void beforeAPromotionCommitsTheNextLeaderPromotes() throws Exception {
    leaderDies(Left.SCHEDULED, JOBS, Step.PROMOTE, UNSENT);
  }

  @CrashTest
  void afterAPromotionCommitsTheJobsAreDispatchedOnce() throws Exception {
    leaderDies(Left.SCHEDULED, JOBS, Step.PROMOTE, UNANSWERED);
  }

  /** A dead job of a working fleet. */
  private static UUID dead(CrashScene scene) {
    UUID job = scene.submit(What.FATAL_ONCE, 1).getFirst();
    scene.heal();
    scene.awaitAllEnded();
    return job;
  }

  @CrashTest
  void beforeARedriveCommitsTheJobIsStillDead() throws Exception {
    try (CrashScene scene = CrashScene.open(POSTGRES)) {
      UUID job = dead(scene);
      scene.strike(scene.killAt(Step.REDRIVE, UNSENT), "redrive " + job);
      scene.finish();
      assertThat(scene.outcomes()).isZero();
      assertThat(scene.producer().redrive(job)).isEqualTo(new RedriveResult.Redriven());
      scene.awaitOutcomes(1);
      scene.finish();
      assertThat(scene.fleetRuns()).isEqualTo(2);
    }
  }

  @CrashTest
  void afterARedriveCommitsTheJobRunsAlthoughNobodyWasTold() throws Exception {
    try (CrashScene scene = CrashScene.open(POSTGRES)) {
      UUID job = dead(scene);
      scene.strike(scene.killAt(Step.REDRIVE, UNANSWERED), "redrive " + job);
      scene.awaitOutcomes(1);
      scene.finish();
      assertThat(scene.producer().redrive(job)).isInstanceOf(RedriveResult.WrongState.class);
      assertThat(scene.fleetRuns()).isEqualTo(2);
    }
  }
}
