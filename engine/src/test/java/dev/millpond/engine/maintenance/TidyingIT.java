package dev.millpond.engine.maintenance;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.api.JobRequest;
import dev.millpond.engine.Database;
import dev.millpond.engine.Fleet;
import dev.millpond.engine.Fleet.Mode;
import java.sql.Connection;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The roles that keep the tables small. */
class TidyingIT {
  private static Database database;
  private RoleScene scene;

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
  }

  @AfterEach
  void stop() {
    scene.end();
  }

  @Test
  void theDepthStaysTheSameWhileItIsSummedUnderLoad() throws Exception {
    DepthCompactor compactor = new DepthCompactor(scene.leadership, scene.metrics);
    int flushes = 150;
    AtomicBoolean over = new AtomicBoolean();
    int summed = 0;
    try (ExecutorService pool = Executors.newFixedThreadPool(2)) {
      CompletableFuture<Void> load =
          CompletableFuture.runAsync(
              () -> {
                for (int i = 0; i < flushes; i++) {
                  scene.submit(2);
                }
                over.set(true);
              },
              pool);
      while (!over.get()) {
        summed += compactor.runOnce().rows();
        assertThat(database.depth())
            .isLessThanOrEqualTo(database.number("SELECT count(*) FROM millpond.job"));
      }
      load.get();
    }
    assertThat(summed).isPositive();
    assertThat(database.depth()).isEqualTo(2L * flushes);
    compactor.runOnce();
    assertThat(database.number("SELECT count(*) FROM millpond.queue_depth")).isEqualTo(1);
    assertThat(database.depth()).isEqualTo(2L * flushes);
  }

  @Test
  void aDepthThatIsOffIsCorrected() {
    scene.submit(5);
    database.update("INSERT INTO millpond.queue_depth VALUES ('default', 'normal', 17)");
    assertThat(new DepthCompactor(scene.leadership, scene.metrics).runOnce().corrected())
        .isEqualTo(1);
    assertThat(database.depth()).isEqualTo(5);
  }

  @Test
  void bytesOfPayloadsThatAreOffAreCorrected() {
    scene.submit(5);
    database.update("UPDATE millpond.queue_depth SET bytes = 0"); // as an earlier version has it
    assertThat(new DepthCompactor(scene.leadership, scene.metrics).runOnce().corrected())
        .isEqualTo(1);
    assertThat(database.number("SELECT sum(bytes) FROM millpond.queue_depth"))
        .isEqualTo(database.number("SELECT sum(octet_length(payload)) FROM millpond.job"))
        .isPositive();
  }

  @Test
  void missingDaysGetTheirPartitions() {
    PartitionKeeper keeper =
        new PartitionKeeper(scene.leadership, new PartitionKeeper.Config(2, 9));
    assertThat(keeper.runOnce().days())
        .as("two behind to nine ahead, five were there")
        .isEqualTo(7);
    assertThat(keeper.runOnce().days()).isZero();
    assertThat(
            database.number(
                "SELECT count(*) FROM pg_inherits WHERE inhparent = 'millpond.job'::regclass"))
        .as("twelve days and the default one")
        .isEqualTo(13);
    UUID id = scene.submit(1).getFirst();
    assertThat(database.number("SELECT count(*) FROM ONLY millpond.job_default WHERE id = ?", id))
        .isZero();
  }

  @Test
  void onlyWhatIsOfNoUseIsRemoved() {
    List<UUID> ids =
        Fleet.submit(scene.producer, JobRequest.of("noop", "").withDelay(Duration.ofHours(1)), 3);
    UUID ended = ids.getFirst();
    database.update(
        "INSERT INTO millpond.job_outcome (job_id, outcome, attempt, lease_token)"
            + " VALUES (?, 'cancelled', 1, 1)",
        ended);
    database.update(
        "INSERT INTO millpond.flush_marker VALUES (gen_random_uuid(), 1, now() - interval '2 h')");
    database.update(
        "INSERT INTO millpond.idempotency_key VALUES"
            + " ('default', 'old', ?, '', now() - interval '1 s'),"
            + " ('default', 'new', ?, '', now() + interval '1 h')",
        ids.get(1),
        ids.get(2));
    database.update(
        "INSERT INTO millpond.cancel_notice VALUES (?, now() - interval '1 h'), (?, now())",
        ids.get(1),
        ids.get(2));
    long markers = database.number("SELECT count(*) FROM millpond.flush_marker");
    new Tidier(scene.leadership, Tidier.Config.DEFAULT).runOnce();
    assertThat(database.number("SELECT count(*) FROM millpond.flush_marker"))
        .isEqualTo(markers - 1);
    assertThat(database.strings("SELECT key FROM millpond.idempotency_key")).containsExactly("new");
    assertThat(database.ids("SELECT job_id FROM millpond.cancel_notice"))
        .containsExactly(ids.get(2));
    assertThat(database.ids("SELECT job_id FROM millpond.job_state"))
        .containsExactlyInAnyOrder(ids.get(1), ids.get(2));
  }

  @Test
  void aKeyThatIsTakenOverAtThisMomentIsKept() throws Exception {
    Tidier tidier = new Tidier(scene.leadership, Tidier.Config.DEFAULT);
    database.update(
        "INSERT INTO millpond.idempotency_key VALUES"
            + " ('default', 'k', gen_random_uuid(), '', now() - interval '1 s')");
    try (Connection submit = database.connect()) {
      submit.setAutoCommit(false);
      Database.update(
          submit,
          "UPDATE millpond.idempotency_key SET expires_at = now() + interval '1 h'"
              + " WHERE expires_at < now()");
      assertThat(tidier.runOnce().removed()).containsEntry("idempotency keys", 0);
      submit.commit();
    }
    assertThat(tidier.runOnce().removed()).containsEntry("idempotency keys", 0);
    assertThat(database.number("SELECT count(*) FROM millpond.idempotency_key")).isEqualTo(1);
  }

  @Test
  void resultsWhoseTimeIsOverAreRemovedHoweverManyThereAre() {
    database.update(
        "INSERT INTO millpond.job_result SELECT gen_random_uuid(), '1',"
            + " now() - interval '1 s' FROM generate_series(1, 25)");
    database.update(
        "INSERT INTO millpond.job_result VALUES (gen_random_uuid(), '1', now() + interval '1 h')");
    Tidier tidier = new Tidier(scene.leadership, new Tidier.Config(10, 5));
    assertThat(tidier.runOnce().removed()).containsEntry("results", 25);
    assertThat(database.number("SELECT count(*) FROM millpond.job_result")).isEqualTo(1);
  }

  @Test
  void oneStepIsBounded() {
    for (int i = 0; i < 7; i++) {
      database.update(
          "INSERT INTO millpond.flush_marker VALUES (gen_random_uuid(), 1, now() - interval '2"
              + " h')");
    }
    Tidier tidier = new Tidier(scene.leadership, new Tidier.Config(3, 1));
    assertThat(tidier.runOnce().removed()).containsEntry("flush markers", 3);
    assertThat(tidier.runOnce().removed()).containsEntry("flush markers", 3);
    assertThat(tidier.runOnce().removed()).containsEntry("flush markers", 1);
  }
}
