package dev.millpond.engine.maintenance;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.api.JobOptions;
import dev.millpond.api.JobRequest;
import dev.millpond.engine.Database;
import dev.millpond.engine.Fleet;
import dev.millpond.engine.Fleet.Mode;
import dev.millpond.engine.dispatch.Batch;
import dev.millpond.engine.flush.Portion;
import dev.millpond.engine.flush.Portion.Success;
import dev.millpond.engine.flush.store.ColdFlush;
import dev.millpond.engine.maintenance.store.RescueStore;
import dev.millpond.engine.maintenance.store.RescueStore.Taken;
import dev.millpond.engine.worker.store.ClaimStore.LoadedJob;
import dev.millpond.engine.worker.store.UserTransaction;
import java.net.URI;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * A drop of partitions locks jobs, outcomes, attempts and logs in this order. Whoever comes while
 * it has the first of them waits with none of the others: else the drop would fail.
 */
class LockOrderIT {
  private static final Duration LONG = Duration.ofSeconds(10);

  /** Of a drop that has only begun: {@code RetentionStore} locks all four in one statement. */
  private static final String FIRST = "LOCK TABLE ONLY millpond.job IN ACCESS EXCLUSIVE MODE";

  private static final String REST =
      """
      LOCK TABLE ONLY millpond.job_outcome, ONLY millpond.job_attempt, ONLY millpond.job_log
      IN ACCESS EXCLUSIVE MODE
      """;

  private static final String AWAITED =
      """
      SELECT count(*) FROM pg_locks
      WHERE NOT granted AND locktype = 'relation' AND relation = 'millpond.job'::regclass
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
      """;

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

  private static void besideADrop(Callable<?> step) throws Exception {
    CompletableFuture<Object> done = new CompletableFuture<>();
    try (Connection drop = database.connect()) {
      drop.setAutoCommit(false);
      execute(drop, FIRST);
      Thread.ofPlatform()
          .start(() -> {
            try {
              done.complete(step.call());
            } catch (Exception e) {
              done.completeExceptionally(e);
            }
          });
      Fleet.until("it waits", () -> done.isDone() || database.number(AWAITED) > 0);
      assertThat(done).as("waits for jobs").isNotDone();
      execute(drop, "SET LOCAL lock_timeout = 100");
      execute(drop, REST);
      drop.rollback();
    }
    done.get();
  }

  private static void execute(Connection on, String sql) throws SQLException {
    try (Statement statement = on.createStatement()) {
      statement.execute(sql);
    }
  }

  @Test
  void aPromotion() throws Exception {
    Fleet.submit(scene.producer, JobRequest.of("noop", "").withDelay(Duration.ofHours(1)), 1);
    database.update("UPDATE millpond.job_state SET run_at = now()");
    besideADrop(() ->
        new Promoter(scene.leadership, scene.maker, scene.pace, Promoter.Config.DEFAULT, () -> {})
            .runOnce());
    assertThat(database.depth()).isOne();
  }

  @Test
  void anEndWithAWebhook() throws Exception {
    UUID id = scene.submit(1).getFirst();
    Batch batch = scene.batches().getFirst();
    Portion portion =
        new Portion(
            RoleScene.LANE,
            "noop",
            batch,
            true,
            List.of(new Success(id, 1, false, 1, 0, null, 0, 2)),
            List.of(),
            List.of(),
            false,
            List.of(),
            true,
            (p, written) -> {});
    besideADrop(() ->
        scene.transactions.call(
            tx -> new ColdFlush(List.of(portion), UUID.randomUUID(), scene.maker).run(tx)));
    assertThat(database.outcomes()).isOne();
  }

  @Test
  void anEndWithAWebhookInAHandlersOwnTransaction() throws Exception {
    UUID id = scene.submit(1).getFirst();
    UUID session = scene.session(Duration.ZERO);
    scene.run(session, List.of(id));
    JobOptions options = JobOptions.DEFAULT.withWebhook(URI.create("https://example.com/"));
    try (UserTransaction transaction =
        new UserTransaction(database.url(), () -> session, LONG, 1_000)) {
      LoadedJob job = new LoadedJob(id, 1, 1, true, "\"\"", null);
      besideADrop(() -> transaction.complete(job, options, RoleScene.LANE, 0, tx -> null));
    }
    assertThat(database.outcomes()).isOne();
  }

  @Test
  void theRescueAndTheCancellationOfRunningJobs() throws Exception {
    List<UUID> ids = scene.submit(2);
    UUID dead = scene.session(LONG);
    scene.session(Duration.ZERO);
    scene.run(dead, ids);
    scene.producer.cancel(ids.getFirst());
    Reaper.Result[] result = new Reaper.Result[1];
    besideADrop(() -> result[0] = scene.reaper().runOnce());
    assertThat(result[0].rescued()).isOne();
    assertThat(result[0].cancelled()).isOne();
  }

  @Test
  void theBurialOfWhatKilledItsWorkers() throws Exception {
    scene.submit(1);
    database.update(
        "INSERT INTO millpond.job_state"
            + " (job_id, queue, class, kind, phase, lease_token, attempt, losses)"
            + " SELECT id, queue, class, kind, 'runnable', 1, 1, 1000 FROM millpond.job");
    Taken taken = new Taken(scene.batches().getFirst().id(), UUID.randomUUID());
    besideADrop(
        () -> scene.transactions.call(tx -> RescueStore.taken(tx, List.of(taken), scene.maker)));
    assertThat(database.number("SELECT count(*) FROM millpond.dead_letter")).isOne();
  }

  @Test
  void theEndOfWhatIsTooLateToStart() throws Exception {
    Fleet.submit(scene.producer, JobRequest.of("noop", "").withDelay(Duration.ofHours(1)), 1);
    database.update(
        "INSERT INTO millpond.job_expiry (job_id, expires_at, look_at)"
            + " SELECT id, now(), now() FROM millpond.job");
    Expirer expirer = new Expirer(scene.leadership, scene.metrics, Expirer.Config.DEFAULT);
    besideADrop(expirer::runOnce);
    assertThat(database.outcomes()).isOne();
  }

  @Test
  void aCancellation() throws Exception {
    UUID id =
        Fleet.submit(scene.producer, JobRequest.of("noop", "").withDelay(Duration.ofHours(1)), 1)
            .getFirst();
    besideADrop(() -> scene.producer.cancel(id));
    assertThat(database.outcomes()).isOne();
  }
}
