package dev.millpond.engine.crash;

import static dev.millpond.engine.crash.CrashScene.Mode.POSTGRES;
import static dev.millpond.faults.Moment.UNANSWERED;
import static dev.millpond.faults.Moment.UNCOMMITTED;
import static dev.millpond.faults.Moment.UNSENT;
import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.api.JobOptions;
import dev.millpond.api.JobState;
import dev.millpond.api.JobView;
import dev.millpond.api.SteerResult;
import dev.millpond.engine.crash.Task.What;
import dev.millpond.faults.Moment;
import dev.millpond.faults.Step;
import java.time.Duration;
import java.util.List;
import java.util.UUID;

/**
 * A process is killed while it changes a job, ends an expired one, or writes a result for a time.
 */
class SteerCrashIT {
  private static final int JOBS = 3;
  private static final JobOptions FOR_AN_HOUR =
      JobOptions.DEFAULT.withResultTtl(Duration.ofHours(1));
  private static final JobOptions SOON = JobOptions.DEFAULT.withExpiresIn(Duration.ofMillis(200));

  private static JobView view(CrashScene scene, UUID id) {
    return scene.producer().find(id).orElseThrow();
  }

  @CrashTest
  void beforeARunNowCommitsTheJobIsStillScheduled() throws Exception {
    try (CrashScene scene = CrashScene.open(POSTGRES)) {
      UUID job = scene.submitForLater();
      scene.strike(scene.killAt(Step.CHANGE, UNSENT), "run-now " + job);
      assertThat(view(scene, job).state()).isEqualTo(JobState.SCHEDULED);
      assertThat(scene.producer().runNow(job)).isEqualTo(new SteerResult.Done());
      scene.finish();
      assertThat(scene.fleetRuns()).isEqualTo(1);
    }
  }

  @CrashTest
  void afterARunNowCommitsTheJobRunsOnceAlthoughNobodyWasTold() throws Exception {
    try (CrashScene scene = CrashScene.open(POSTGRES)) {
      UUID job = scene.submitForLater();
      scene.strike(scene.killAt(Step.CHANGE, UNANSWERED), "run-now " + job);
      assertThat(scene.producer().runNow(job)).isEqualTo(new SteerResult.Done());
      scene.finish();
      assertThat(scene.fleetRuns()).isEqualTo(1);
    }
  }

  /** The subject takes one job out of its batch, and dies of it. */
  private static void changerDies(String command, Moment moment, boolean done) throws Exception {
    try (CrashScene scene = CrashScene.open(POSTGRES)) {
      UUID job = scene.submit(What.SUCCEED, JOBS).get(1);
      scene.strike(scene.killAt(Step.CHANGE, moment), command.formatted(job));
      JobView after = view(scene, job);
      boolean putOff = command.startsWith("put-off");
      assertThat(after.request().priorityClass()).isEqualTo(done && !putOff ? "high" : "normal");
      assertThat(after.state()).isEqualTo(done && putOff ? JobState.SCHEDULED : JobState.RUNNABLE);
      assertThat(scene.producer().runNow(job)).isEqualTo(new SteerResult.Done());
      scene.finish();
      assertThat(scene.outcomes()).isEqualTo(JOBS);
      assertThat(scene.fleetRuns()).isEqualTo(JOBS);
    }
  }

  @CrashTest
  void beforeAChangeOfClassCommitsTheBatchIsAsItWas() throws Exception {
    changerDies("change-class %s high", UNSENT, false);
  }

  @CrashTest
  void afterAChangeOfClassCommitsEachJobRunsOnce() throws Exception {
    changerDies("change-class %s high", UNANSWERED, true);
  }

  @CrashTest
  void beforeAJobIsPutOffTheBatchIsAsItWas() throws Exception {
    changerDies("put-off %s", UNSENT, false);
  }

  @CrashTest
  void afterAJobIsPutOffEachJobRunsOnceAtItsTime() throws Exception {
    changerDies("put-off %s", UNANSWERED, true);
  }

  /** Expired jobs end once, and never run, whoever dies while ending them. */
  private static void expiringDies(Step step, Moment moment, String command) throws Exception {
    try (CrashScene scene = CrashScene.open(POSTGRES)) {
      List<UUID> ids = scene.submit(What.SUCCEED, SOON, JOBS);
      CrashScene.await(() ->
          scene.count("SELECT count(*) FROM millpond.job_expiry WHERE expires_at > now()") == 0);
      scene.strike(scene.killAt(step, moment), command);
      scene.finish();
      assertThat(scene.subjectRuns() + scene.fleetRuns()).isZero();
      assertThat(scene.outcomes()).isEqualTo(JOBS);
      for (UUID id : ids) {
        JobView job = view(scene, id);
        assertThat(job.state()).isEqualTo(JobState.CANCELLED);
        JobView.JobError error = job.error();
        assertThat(error).isNotNull();
        assertThat(error.type()).isEqualTo("expired");
      }
      CrashScene.await(() -> scene.count("SELECT count(*) FROM millpond.job_expiry") == 0);
    }
  }

  @CrashTest
  void beforeTheExpirerCommitsTheJobsEndOtherwise() throws Exception {
    expiringDies(Step.EXPIRE, UNSENT, "maintain");
  }

  @CrashTest
  void afterTheExpirerCommitsTheJobsHaveEndedOnce() throws Exception {
    expiringDies(Step.EXPIRE, UNANSWERED, "maintain");
  }

  @CrashTest
  void beforeAWorkerEndsExpiredJobsOthersDo() throws Exception {
    expiringDies(Step.END_EXPIRED, UNSENT, "work");
  }

  @CrashTest
  void afterAWorkerHasEndedExpiredJobsTheyHaveEndedOnce() throws Exception {
    expiringDies(Step.END_EXPIRED, UNANSWERED, "work");
  }

  @CrashTest
  void aJobAndItsExpiryAreCommittedTogetherOrNotAtAll() throws Exception {
    for (Moment moment : List.of(UNCOMMITTED, UNANSWERED)) {
      try (CrashScene scene = CrashScene.open(POSTGRES)) {
        scene.strike(scene.killAt(Step.SUBMIT, moment), "submit-expiring " + JOBS);
        long jobs = moment == UNCOMMITTED ? 0 : JOBS;
        assertThat(scene.jobs()).isEqualTo(jobs);
        assertThat(scene.count("SELECT count(*) FROM millpond.job_expiry")).isEqualTo(jobs);
        scene.finish();
        assertThat(scene.fleetRuns()).isEqualTo(jobs);
      }
    }
  }

  /** The subject runs a job and dies at the commit of its result. */
  private static void resultDies(Moment moment, int runs) throws Exception {
    try (CrashScene scene = CrashScene.open(POSTGRES)) {
      UUID job = scene.submit(What.RESULT, FOR_AN_HOUR, 1).getFirst();
      scene.strike(scene.killAt(Step.RESULT, moment), "work");
      scene.finish();
      assertThat(scene.subjectRuns() + scene.fleetRuns()).isEqualTo(runs);
      assertThat(scene.count("SELECT count(*) FROM millpond.job_result")).isEqualTo(1);
      assertThat(view(scene, job).result()).isNotNull();
    }
  }

  @CrashTest
  void beforeAResultForATimeCommitsTheJobRunsAgain() throws Exception {
    resultDies(UNSENT, 2);
  }

  @CrashTest
  void afterAResultForATimeCommitsTheJobDoesNotRunAgain() throws Exception {
    resultDies(UNANSWERED, 1);
  }
}
