package dev.millpond.engine.maintenance;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.api.JobRequest;
import dev.millpond.api.JobState;
import dev.millpond.engine.Database;
import dev.millpond.engine.Fleet;
import dev.millpond.engine.Fleet.Mode;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Scheduled jobs become runnable when their time has come, all of them, and none before. */
class PromoterIT {
  private static Database database;
  private RoleScene scene;
  private Promoter promoter;

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
    promoter =
        new Promoter(
            scene.leadership,
            scene.maker,
            scene.pace,
            new Promoter.Config(10),
            scene.feedNews::incrementAndGet);
  }

  @AfterEach
  void stop() {
    scene.end();
  }

  private List<UUID> scheduled(int jobs) {
    return Fleet.submit(
        scene.producer, JobRequest.of("noop", "").withDelay(Duration.ofHours(1)), jobs);
  }

  private void makeDue(List<UUID> ids) {
    database.update(
        "UPDATE millpond.job_state SET run_at = now() - interval '1 second' WHERE job_id = ANY (?)",
        (Object) ids.toArray(UUID[]::new));
  }

  @Test
  void onlyWhatIsDueIsPromotedAndAllOfIt() {
    List<UUID> due = scheduled(25);
    List<UUID> later = scheduled(5);
    assertThat(promoter.runOnce().promoted()).isZero();
    assertThat(database.depth()).isZero();
    makeDue(due);
    assertThat(promoter.runOnce().promoted()).as("over several pages").isEqualTo(25);
    assertThat(database.depth()).isEqualTo(25);
    assertThat(scene.batches().stream().mapToInt(b -> b.size()).sum()).isEqualTo(25);
    assertThat(scene.producer.find(due.getFirst()).orElseThrow().state())
        .isEqualTo(JobState.RUNNABLE);
    assertThat(scene.producer.find(later.getFirst()).orElseThrow().state())
        .isEqualTo(JobState.SCHEDULED);
    assertThat(scene.feedNews).as("told of each page").hasValue(3);
    assertThat(promoter.runOnce().promoted()).isZero();
  }

  @Test
  void theTokenStays() {
    List<UUID> due = scheduled(1);
    database.update("UPDATE millpond.job_state SET lease_token = 7, attempt = 3");
    makeDue(due);
    promoter.runOnce();
    assertThat(scene.batches().getFirst().tokens()).containsExactly(7);
    assertThat(scene.producer.find(due.getFirst()).orElseThrow().attempt()).isEqualTo(3);
  }

  @Test
  void aJobThatHasEndedMeanwhileIsDropped() {
    List<UUID> due = scheduled(2);
    database.update(
        "INSERT INTO millpond.job_outcome (job_id, outcome, attempt, lease_token)"
            + " VALUES (?, 'cancelled', 1, 1)",
        due.getFirst());
    makeDue(due);
    assertThat(promoter.runOnce().promoted()).isEqualTo(1);
    assertThat(database.depth()).isEqualTo(1);
    assertThat(database.ids("SELECT job_id FROM millpond.job_state"))
        .containsExactly(due.getLast());
  }
}
