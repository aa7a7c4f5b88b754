package dev.millpond.engine.crash;

import static dev.millpond.engine.crash.CrashScene.Mode.POSTGRES;
import static dev.millpond.engine.crash.CrashScene.Mode.STREAMS;
import static dev.millpond.faults.Moment.UNANSWERED;
import static dev.millpond.faults.Moment.UNCOMMITTED;
import static dev.millpond.faults.Moment.UNSENT;
import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.engine.crash.CrashScene.Mode;
import dev.millpond.faults.Fault;
import dev.millpond.faults.Step;

/** A process that runs jobs submits some, and keeps them for itself; it is struck on the way. */
class KeepCrashIT {
  private static final int JOBS = 3;
  private static final String SUBMIT = "submit " + JOBS;
  private static final String KEPT =
      "SELECT count(*) FROM millpond.dispatch WHERE claimed_by IS NOT NULL";

  private static void work(CrashScene scene) {
    scene.subject().tell("work");
    scene.subject().awaitDone("work");
  }

  @CrashTestInBothModes
  void keptJobsWhoseProcessDiesBetweenCommitAndStartRunElsewhere(Mode mode) throws Exception {
    try (CrashScene scene = CrashScene.open(mode)) {
      work(scene);
      scene.strike(scene.killAt(Step.SUBMIT, UNANSWERED), SUBMIT);
      assertThat(scene.count(KEPT)).isEqualTo(1);
      scene.finish();
      assertThat(scene.acknowledged()).isEmpty();
      assertThat(scene.subjectRuns()).isZero();
      assertThat(scene.outcomes()).isEqualTo(JOBS);
      assertThat(scene.fleetRuns()).isEqualTo(JOBS);
    }
  }

  @CrashTest
  void beforeTheCommitNothingIsKept() throws Exception {
    try (CrashScene scene = CrashScene.open(POSTGRES)) {
      work(scene);
      scene.strike(scene.killAt(Step.SUBMIT, UNCOMMITTED), SUBMIT);
      scene.finish();
      assertThat(scene.jobs()).isZero();
      assertThat(scene.subjectRuns()).isZero();
    }
  }

  @CrashTest
  void keptJobsThatEndedAndWereNotWrittenRunAgain() throws Exception {
    try (CrashScene scene = CrashScene.open(STREAMS)) {
      work(scene);
      scene.strike(scene.killAt(Step.OUTCOME, UNSENT), SUBMIT);
      scene.finish();
      assertThat(scene.subjectRuns())
          .as("a slow one writes its first end before its last")
          .isBetween(1L, (long) JOBS);
      assertThat(scene.fleetRuns()).isEqualTo(JOBS);
    }
  }

  @CrashTest
  void keptJobsWhoseCommitWasNotHeardOfStartAllTheSame() throws Exception {
    try (CrashScene scene = CrashScene.open(STREAMS)) {
      work(scene);
      Fault found = scene.countOfMarkersFound();
      Fault sent = scene.countOf(Step.XADD);
      scene.strike(scene.cutAt(Step.SUBMIT, UNANSWERED), SUBMIT);
      scene.subject().awaitDone(SUBMIT);
      scene.finish();
      assertThat(scene.acknowledged()).hasSize(JOBS);
      assertThat(scene.subjectRuns() + scene.fleetRuns()).isEqualTo(JOBS);
      assertThat(found.seen()).isEqualTo(1);
      assertThat(sent.seen()).isZero();
    }
  }

  @CrashTest
  void aKeyedJobThatIsKeptStartsAlthoughItsCommitWasNotHeardOf() throws Exception {
    try (CrashScene scene = CrashScene.open(POSTGRES)) {
      work(scene);
      Fault found = scene.countOfMarkersFound();
      Fault claimed = scene.countOf(Step.LOAD);
      scene.strike(scene.cutAt(Step.SUBMIT_KEYED, UNANSWERED), "submit-keyed k");
      scene.subject().awaitDone("submit-keyed k");
      scene.awaitOutcomes(1);
      assertThat(scene.subjectRuns()).isEqualTo(1);
      assertThat(found.seen()).isEqualTo(1);
      assertThat(claimed.seen()).isZero();
      scene.finish();
    }
  }

  /** Known so late that they may have been rescued: given back, and under the same token. */
  @CrashTest
  void keptJobsWhoseCommitWasHeardOfTooLateAreGivenBack() throws Exception {
    try (CrashScene scene = CrashScene.open(POSTGRES)) {
      work(scene);
      Fault givenBack = scene.countOf(Step.GIVE_BACK);
      String late = KEPT + " AND claimed_at < now() - interval '1.5 s'";
      scene.strike(scene.cutAt(Step.SUBMIT, UNANSWERED, () -> scene.count(late) == 1), SUBMIT);
      scene.awaitOutcomes(JOBS);
      scene.finish();
      assertThat(givenBack.seen()).isEqualTo(1);
      assertThat(scene.subjectRuns() + scene.fleetRuns()).isEqualTo(JOBS);
      assertThat(scene.count("SELECT max(lease_token) FROM millpond.job_outcome")).isEqualTo(1);
    }
  }

  /** Its session is over when it hears of the commit: the rows are no longer its own. */
  @CrashTest
  void whatAFencedSessionKeptIsLeftToTheReaper() throws Exception {
    try (CrashScene scene = CrashScene.open(POSTGRES)) {
      work(scene);
      Fault held =
          scene.holdAt(
              Step.SUBMIT,
              UNANSWERED,
              () -> {
                scene.fenceAll();
                return scene.count("SELECT count(*) FROM millpond.worker WHERE NOT fenced") == 1;
              });
      scene.strike(held, SUBMIT);
      scene.subject().awaitDone(SUBMIT);
      scene.finish();
      assertThat(scene.acknowledged()).hasSize(JOBS);
      assertThat(scene.subjectRuns() + scene.fleetRuns()).isEqualTo(JOBS);
      assertThat(scene.count("SELECT min(lease_token) FROM millpond.job_outcome")).isEqualTo(2);
    }
  }
}
