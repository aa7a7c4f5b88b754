package dev.millpond.engine.crash;

import static dev.millpond.engine.crash.CrashScene.Mode.STREAMS;
import static dev.millpond.faults.Moment.UNANSWERED;
import static dev.millpond.faults.Moment.UNCOMMITTED;
import static dev.millpond.faults.Moment.UNSENT;
import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.api.JobOptions;
import dev.millpond.engine.crash.CrashScene.Mode;
import dev.millpond.engine.crash.Task.What;
import dev.millpond.engine.flow.Pause.Scope;
import dev.millpond.faults.Fault;
import dev.millpond.faults.Moment;
import dev.millpond.faults.Step;

/** A process is killed while it puts jobs aside for a pause, or lets them go on. */
class PauseCrashIT {
  private static final int JOBS = 3;
  private static final JobOptions TAGGED = JobOptions.DEFAULT.withTags("eu");

  private static final String WAITING =
      "SELECT count(*) FROM millpond.job_state WHERE phase = 'waiting'";

  /** Pauses the tag, and waits until the subject goes by it. */
  private static void pause(CrashScene scene) {
    long version = scene.producer().flow().pause(Scope.TAG, "eu", null, null).version();
    scene.subject().awaitSettings(version);
  }

  /** The fleet puts aside what the subject did not; then the tag is resumed. */
  private static void dies(Mode mode, Moment moment, int aside) throws Exception {
    try (CrashScene scene = CrashScene.open(mode)) {
      pause(scene);
      scene.submit(What.SUCCEED, TAGGED, JOBS);
      scene.strike(scene.killAt(Step.PUT_ASIDE, moment), "work");
      CrashScene.await(() -> scene.count(WAITING) == aside);
      scene.heal();
      CrashScene.await(() -> scene.count(WAITING) == JOBS);
      assertThat(scene.subjectRuns() + scene.fleetRuns()).isZero();
      scene.producer().flow().resume(Scope.TAG, "eu");
      scene.finish();
      assertThat(scene.fleetRuns()).isEqualTo(JOBS);
      assertThat(scene.count("SELECT max(attempt) FROM millpond.job_outcome")).isEqualTo(1);
    }
  }

  @CrashTestInBothModes
  void beforeJobsArePutAsideTheyAreRescuedAndPutAsideElsewhere(Mode mode) throws Exception {
    dies(mode, UNSENT, 0);
  }

  @CrashTest
  void whenTheCommitIsLostTheyAreRescuedAndPutAsideElsewhere() throws Exception {
    dies(STREAMS, UNCOMMITTED, 0);
  }

  @CrashTestInBothModes
  void afterJobsArePutAsideTheyWaitWhoeverDied(Mode mode) throws Exception {
    dies(mode, UNANSWERED, JOBS);
  }

  private static void resumerDies(Moment moment) throws Exception {
    try (CrashScene scene = CrashScene.open(STREAMS)) {
      pause(scene);
      scene.submit(What.SUCCEED, TAGGED, JOBS);
      scene.subject().tell("work");
      CrashScene.await(() -> scene.count(WAITING) == JOBS);
      scene.subject().tell("maintain");
      Fault fault = scene.killAt(Step.RESUME, moment);
      scene.producer().flow().resume(Scope.TAG, "eu");
      scene.awaitStruck(fault);
      scene.finish();
      assertThat(scene.fleetRuns() + scene.subjectRuns()).isBetween((long) JOBS, 2L * JOBS);
      assertThat(scene.count("SELECT max(attempt) FROM millpond.job_outcome")).isEqualTo(1);
    }
  }

  @CrashTest
  void beforeTheyAreDispatchedTheyStillWait() throws Exception {
    resumerDies(UNSENT);
  }

  @CrashTest
  void afterTheyAreDispatchedTheyRunAlthoughTheLeaderDied() throws Exception {
    resumerDies(UNANSWERED);
  }
}
