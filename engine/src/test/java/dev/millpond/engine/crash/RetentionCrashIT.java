package dev.millpond.engine.crash;

import static dev.millpond.engine.crash.CrashScene.Mode.POSTGRES;
import static dev.millpond.faults.Moment.UNANSWERED;
import static dev.millpond.faults.Moment.UNSENT;
import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.engine.Database;
import dev.millpond.engine.OldDay;
import dev.millpond.faults.Moment;
import dev.millpond.faults.Step;
import java.time.Duration;
import java.util.UUID;

/** The leader is killed while it drops a day or removes single jobs. */
class RetentionCrashIT {
  private static final Duration LONG_AGO = Duration.ofDays(8);
  private static final int SURVIVORS = 3;

  /** The leader is killed there; the next one finishes, and the survivors are where they were. */
  private static void leaderDies(Step step, Moment moment, boolean dropped) throws Exception {
    try (CrashScene scene = CrashScene.open(POSTGRES)) {
      Database database = scene.database();
      OldDay day = OldDay.of(database, 10);
      UUID ended = day.ended("succeeded", LONG_AGO);
      for (int i = 0; i < SURVIVORS; i++) {
        day.attempt(day.scheduled(Duration.ofDays(1)), 1);
      }
      database.update(
          "UPDATE millpond.job SET kind = ?, payload = '{\"what\":\"SUCCEED\"}'", Task.KIND);
      database.update(
          "UPDATE millpond.job_state SET kind = ?, lease_token = 2, attempt = 2", Task.KIND);
      scene.strike(scene.killAt(step, moment), "maintain");
      CrashScene.await(() -> day.isThere() != dropped);
      assertThat(scene.producer().find(ended).isPresent()).isNotEqualTo(dropped);
      assertThat(scene.jobs()).isEqualTo(dropped ? SURVIVORS : SURVIVORS + 1);
      scene.heal();
      CrashScene.await(() -> !day.isThere());
      assertThat(scene.jobs()).isEqualTo(SURVIVORS);
      assertThat(scene.count("SELECT count(*) FROM millpond.job_attempt")).isEqualTo(SURVIVORS);
      assertThat(scene.count("SELECT count(*) FROM millpond.job_log")).isEqualTo(SURVIVORS);
      database.update("UPDATE millpond.job_state SET run_at = now()");
      scene.awaitOutcomes(SURVIVORS);
      scene.finish();
      assertThat(scene.fleetRuns()).isEqualTo(SURVIVORS);
    }
  }

  @CrashTest
  void beforeADayIsSealedTheNextLeaderDropsIt() throws Exception {
    leaderDies(Step.SEAL, UNSENT, false);
  }

  @CrashTest
  void beforeTheTablesAreLockedTheNextLeaderDropsTheDay() throws Exception {
    leaderDies(Step.LOCK_TABLES, UNSENT, false);
  }

  @CrashTest
  void withTheTablesLockedTheNextLeaderDropsTheDay() throws Exception {
    leaderDies(Step.LOCK_TABLES, UNANSWERED, false);
  }

  @CrashTest
  void afterTheDetachTheNextLeaderDropsTheDay() throws Exception {
    leaderDies(Step.DETACH, UNANSWERED, false);
  }

  @CrashTest
  void afterTheSurvivorsAreCopiedTheNextLeaderDropsTheDay() throws Exception {
    leaderDies(Step.MOVE, UNANSWERED, false);
  }

  @CrashTest
  void beforeADropCommitsTheNextLeaderDropsTheDay() throws Exception {
    leaderDies(Step.DROP_DAY, UNSENT, false);
  }

  @CrashTest
  void afterADropCommitsTheSurvivorsAreThereOnce() throws Exception {
    leaderDies(Step.DROP_DAY, UNANSWERED, true);
  }
}
