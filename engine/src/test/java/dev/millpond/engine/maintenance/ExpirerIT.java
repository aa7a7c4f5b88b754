package dev.millpond.engine.maintenance;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.api.JobOptions;
import dev.millpond.api.JobRequest;
import dev.millpond.api.JobState;
import dev.millpond.engine.Database;
import dev.millpond.engine.Fleet;
import dev.millpond.engine.Fleet.Mode;
import dev.millpond.engine.maintenance.Expirer.Result;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What nobody has taken ends at its expiry; what a worker may have is left to it. */
class ExpirerIT {
  private static final JobRequest EXPIRING =
      JobRequest.of("noop", "").withOptions(JobOptions.DEFAULT.withExpiresIn(Duration.ofHours(2)));

  private static Database database;
  private RoleScene scene;
  private Expirer expirer;

  @BeforeAll
  static void open() {
    database = Database.fresh();
  }

  @AfterAll
  static void shut() {
    database.close();
  }

  @BeforeEach
  void start() {
    scene = new RoleScene(database, Mode.POSTGRES);
    expirer =
        new Expirer(
            scene.leadership, scene.metrics, new Expirer.Config(5, 10, Duration.ofMinutes(1), 4));
  }

  @AfterEach
  void stop() {
    scene.end();
  }

  private List<UUID> submit(int jobs) {
    return Fleet.submit(scene.producer, EXPIRING, jobs);
  }

  private static void pass() {
    database.update(
        "UPDATE millpond.job_expiry SET expires_at = now() - interval '1 s',"
            + " look_at = now() - interval '1 s'");
  }

  private JobState state(UUID id) {
    return scene.producer.find(id).orElseThrow().state();
  }

  private static long rows() {
    return database.number("SELECT count(*) FROM millpond.job_expiry");
  }

  @Test
  void waitingJobsEndAtTheirExpiryAndNotBefore() {
    List<UUID> ids = submit(12);
    scene.submit(3);
    assertThat(expirer.runOnce()).isEqualTo(new Result(0, 0, 0));
    pass();
    assertThat(expirer.runOnce().expired()).as("over several pages").isEqualTo(12);
    ids.forEach(id -> assertThat(state(id)).isEqualTo(JobState.CANCELLED));
    assertThat(database.depth()).isEqualTo(3);
    assertThat(rows()).isZero();
    assertThat(expirer.runOnce()).isEqualTo(new Result(0, 0, 0));
  }

  @Test
  void aScheduledJobEndsWithItsStateRow() {
    UUID id = Fleet.submit(scene.producer, EXPIRING.withDelay(Duration.ofHours(1)), 1).getFirst();
    pass();
    assertThat(expirer.runOnce()).isEqualTo(new Result(1, 0, 0));
    assertThat(state(id)).isEqualTo(JobState.CANCELLED);
    assertThat(database.number("SELECT count(*) FROM millpond.job_state")).isZero();
    assertThat(database.depth()).isZero();
  }

  @Test
  void whatAWorkerMayHaveIsLeftToItAndLookedAtLater() {
    submit(3);
    scene.claimAll(scene.session(Duration.ZERO));
    pass();
    assertThat(expirer.runOnce()).isEqualTo(new Result(0, 3, 0));
    assertThat(database.outcomes()).isZero();
    assertThat(expirer.runOnce()).as("not at once again").isEqualTo(new Result(0, 0, 0));
    database.update("UPDATE millpond.dispatch SET claimed_by = NULL, claimed_at = NULL");
    pass();
    assertThat(expirer.runOnce().expired()).isEqualTo(3);
    assertThat(database.depth()).isZero();
  }

  @Test
  void whatIsOnAStreamIsLeftToItsWorker() {
    submit(2);
    database.update("UPDATE millpond.dispatch SET sent_at = now()");
    pass();
    assertThat(expirer.runOnce()).isEqualTo(new Result(0, 2, 0));
    database.update("UPDATE millpond.dispatch SET sent_at = NULL");
  }

  @Test
  void aRunningJobGoesOn() {
    UUID session = scene.session(Duration.ZERO);
    scene.run(session, submit(2));
    pass();
    assertThat(expirer.runOnce()).isEqualTo(new Result(0, 2, 0));
    assertThat(database.number("SELECT count(*) FROM millpond.job_state WHERE phase = 'running'"))
        .isEqualTo(2);
  }

  @Test
  void aJobThatSomebodyHasInHandIsNotWaitedFor() throws Exception {
    List<UUID> ids = Fleet.submit(scene.producer, EXPIRING.withDelay(Duration.ofHours(1)), 2);
    pass();
    try (var other = database.connect()) {
      other.setAutoCommit(false);
      Database.update(
          other,
          "UPDATE millpond.job_state SET cancel_requested = false WHERE job_id = ?",
          ids.getFirst());
      assertThat(expirer.runOnce()).isEqualTo(new Result(1, 1, 0));
      other.rollback();
    }
    assertThat(state(ids.getFirst())).isEqualTo(JobState.SCHEDULED);
    assertThat(state(ids.getLast())).isEqualTo(JobState.CANCELLED);
  }

  @Test
  void aJobAtALaterTokenEndsAtThatToken() {
    UUID id = Fleet.submit(scene.producer, EXPIRING, 2).getFirst();
    database.update("DELETE FROM millpond.dispatch");
    database.update(
        "INSERT INTO millpond.job_state (job_id, queue, class, kind, phase, lease_token, attempt)"
            + " SELECT id, queue, class, kind, 'runnable', 4, 2 FROM millpond.job");
    scene.transactions.call(tx -> {
      dev.millpond.engine.dispatch.store.DispatchStore.insert(
          tx,
          List.of(
              scene.maker.make(
                  RoleScene.LANE,
                  "noop",
                  database.ids("SELECT id FROM millpond.job").stream()
                      .map(job -> new dev.millpond.engine.dispatch.BatchMaker.Member(job, 4))
                      .toList())),
          false);
      return true;
    });
    pass();
    assertThat(expirer.runOnce().expired()).isEqualTo(2);
    assertThat(
            database.number(
                "SELECT count(*) FROM millpond.job_attempt WHERE lease_token = 4 AND attempt = 2"
                    + " AND ended = 'cancelled' AND error_type = 'expired'"))
        .isEqualTo(2);
    assertThat(state(id)).isEqualTo(JobState.CANCELLED);
    assertThat(database.depth()).isZero();
  }

  @Test
  void rowsOfJobsThatHaveEndedAreSwept() {
    List<UUID> ids = submit(9);
    database.update(
        "INSERT INTO millpond.job_outcome (job_id, outcome, attempt, lease_token)"
            + " SELECT job_id, 'succeeded', 1, 1 FROM millpond.job_expiry WHERE job_id <> ?",
        ids.get(4));
    database.update("UPDATE millpond.queue_depth SET delta = 1, bytes = bytes / 9");
    int swept = 0;
    for (int look = 0; look < 4; look++) {
      swept += expirer.runOnce().swept();
    }
    assertThat(swept).isEqualTo(8);
    assertThat(database.ids("SELECT job_id FROM millpond.job_expiry")).containsExactly(ids.get(4));
  }

  @Test
  void aDeadJobRests() {
    UUID id = submit(1).getFirst();
    database.update("DELETE FROM millpond.dispatch");
    database.update("DELETE FROM millpond.queue_depth");
    database.update(
        "INSERT INTO millpond.job_state (job_id, queue, class, kind, phase, lease_token, attempt)"
            + " SELECT id, queue, class, kind, 'dead', 2, 1 FROM millpond.job");
    database.update(
        "INSERT INTO millpond.dead_letter (job_id, queue, class, kind, attempts, reason,"
            + " error_type) SELECT id, queue, class, kind, 1, 'fatal', 'x' FROM millpond.job");
    pass();
    assertThat(expirer.runOnce()).isEqualTo(new Result(0, 0, 0));
    assertThat(state(id)).isEqualTo(JobState.DEAD);
    assertThat(rows()).isZero();
  }
}
