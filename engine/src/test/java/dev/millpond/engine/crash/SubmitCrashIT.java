package dev.millpond.engine.crash;

import static dev.millpond.engine.crash.CrashScene.Mode.POSTGRES;
import static dev.millpond.engine.crash.CrashScene.Mode.STREAMS;
import static dev.millpond.faults.Moment.UNANSWERED;
import static dev.millpond.faults.Moment.UNCOMMITTED;
import static dev.millpond.faults.Moment.UNSENT;
import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.api.JobOptions;
import dev.millpond.api.SubmitResult;
import dev.millpond.engine.crash.CrashScene.Mode;
import dev.millpond.faults.Moment;
import dev.millpond.faults.Step;
import java.util.function.BooleanSupplier;

/** A producer is killed on the way from its call to the stream. */
class SubmitCrashIT {
  private static final int JOBS = 3;
  private static final String SUBMIT = "submit " + JOBS;

  @CrashTest
  void beforeTheFlushIsSentNothingIsWritten() throws Exception {
    try (CrashScene scene = CrashScene.open(POSTGRES)) {
      scene.strike(scene.killAt(Step.SUBMIT, UNSENT), SUBMIT);
      scene.finish();
      assertThat(scene.acknowledged()).isEmpty();
      assertThat(scene.jobs()).isZero();
    }
  }

  @CrashTest
  void beforeTheFlushCommitsNothingIsWritten() throws Exception {
    try (CrashScene scene = CrashScene.open(POSTGRES)) {
      scene.strike(scene.killAt(Step.SUBMIT, UNCOMMITTED), SUBMIT);
      scene.finish();
      assertThat(scene.acknowledged()).isEmpty();
      assertThat(scene.jobs()).isZero();
    }
  }

  @CrashTestInBothModes
  void afterTheCommitTheJobsRunOnceAlthoughNobodyWasTold(Mode mode) throws Exception {
    try (CrashScene scene = CrashScene.open(mode)) {
      scene.strike(scene.killAt(Step.SUBMIT, UNANSWERED), SUBMIT);
      scene.finish();
      assertThat(scene.acknowledged()).isEmpty();
      assertThat(scene.outcomes()).isEqualTo(JOBS);
      assertThat(scene.fleetRuns()).isEqualTo(JOBS);
    }
  }

  /** Killed at the XADD, after the caller was told. */
  private static void senderDies(Moment moment) throws Exception {
    try (CrashScene scene = CrashScene.open(STREAMS)) {
      // A first submit, so that the second one's XADD is not late: then the feeder would do it.
      scene.subject().tell(SUBMIT);
      scene.subject().awaitDone(SUBMIT);
      int jobs = 2 * JOBS;
      BooleanSupplier told = () -> scene.acknowledged().size() == jobs;
      scene.strike(scene.killAt(Step.XADD, moment, told), SUBMIT);
      scene.finish();
      assertThat(scene.outcomes()).isEqualTo(jobs);
      assertThat(scene.fleetRuns()).isEqualTo(jobs);
    }
  }

  @CrashTest
  void afterTheAnswerAndBeforeTheXaddTheJobsRunOnce() throws Exception {
    senderDies(UNSENT);
  }

  @CrashTest
  void afterTheXaddAndBeforeItsAnswerTheJobsRunOnce() throws Exception {
    senderDies(UNANSWERED);
  }

  @CrashTest
  void beforeAKeyedSubmitCommitsItsKeyIsFree() throws Exception {
    try (CrashScene scene = CrashScene.open(POSTGRES)) {
      scene.strike(scene.killAt(Step.SUBMIT_KEYED, UNSENT), "submit-keyed k");
      assertThat(submitAgain(scene)).isInstanceOf(SubmitResult.Accepted.class);
      scene.finish();
      assertThat(scene.fleetRuns()).isEqualTo(1);
    }
  }

  @CrashTest
  void afterAKeyedSubmitCommitsTheSameKeyFindsItsJob() throws Exception {
    try (CrashScene scene = CrashScene.open(POSTGRES)) {
      scene.strike(scene.killAt(Step.SUBMIT_KEYED, UNANSWERED), "submit-keyed k");
      assertThat(submitAgain(scene)).isInstanceOf(SubmitResult.Existing.class);
      scene.finish();
      assertThat(scene.jobs()).isEqualTo(1);
      assertThat(scene.fleetRuns()).isEqualTo(1);
    }
  }

  /** What a caller does that got no answer. */
  private static SubmitResult submitAgain(CrashScene scene) {
    return scene
        .producer()
        .submit(
            new Task(Task.What.SUCCEED)
                .request(scene.queue())
                .withOptions(JobOptions.DEFAULT.withIdempotencyKey("k")));
  }
}
