package dev.millpond.engine.flush;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millpond.engine.Database;
import dev.millpond.engine.Fleet;
import dev.millpond.engine.dispatch.Batch;
import dev.millpond.engine.dispatch.BatchMaker;
import dev.millpond.engine.dispatch.KindPace;
import dev.millpond.engine.dispatch.Lane;
import dev.millpond.engine.dispatch.Ways;
import dev.millpond.engine.dispatch.postgres.PostgresDispatch;
import dev.millpond.engine.flush.Portion.Success;
import dev.millpond.engine.flush.Portion.Written;
import dev.millpond.engine.metrics.EngineMetrics;
import dev.millpond.engine.submit.JobIds;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What one bad row, one lock or one lost connection does to everybody else: nothing. */
class WriterIT {
  private static final Lane LANE = new Lane("default", "normal");
  private static final String KIND = "alone";

  private static Database database;

  private final JobIds ids = new JobIds(InstantSource.system());
  private final KindPace pace = new KindPace();
  private final UUID session = UUID.randomUUID();
  private final Map<UUID, Written> written = new ConcurrentHashMap<>();
  private Ways ways;
  private Writer writer;

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
    database.empty();
    BatchMaker maker = new BatchMaker(ids, 1);
    ways = new Ways(List.of(), new PostgresDispatch(database.url(), () -> session));
    writer =
        new Writer(
            database.url(),
            () -> session,
            maker,
            pace,
            ways,
            new EngineMetrics(new SimpleMeterRegistry()));
    writer.start();
  }

  @AfterEach
  void stop() {
    writer.close();
    ways.close();
    Fleet.assertBooksClean(database);
  }

  @Test
  void aBadRowGetsItsErrorAloneAndItsNeighboursAreAcknowledged() throws Exception {
    List<SubmitWork> good = new ArrayList<>();
    SubmitWork bad = new SubmitWork(List.of(job("{}"), job("not text: \u0000")));
    for (int i = 0; i < 40; i++) {
      if (i == 17) {
        submit(bad);
      }
      SubmitWork work = new SubmitWork(List.of(job("{}"), job("{}")));
      good.add(work);
      submit(work);
    }
    for (SubmitWork work : good) {
      work.done().get(10, TimeUnit.SECONDS);
    }
    assertThatThrownBy(() -> bad.done().get(10, TimeUnit.SECONDS))
        .isInstanceOf(ExecutionException.class)
        .hasCauseInstanceOf(SQLException.class);
    assertThat(database.number("SELECT count(*) FROM millpond.job")).isEqualTo(80);
    assertThat(database.depth()).isEqualTo(80);
  }

  @Test
  void aBadOutcomeIsGivenUpAloneAndItsNeighboursAreAcknowledged() throws Exception {
    List<Batch> batches = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      batches.add(batch());
    }
    for (int i = 0; i < batches.size(); i++) {
      writer.write(finish(batches.get(i), i == 7 ? "not text: \u0000" : "\"fine\""));
    }
    Fleet.until("all news", () -> written.size() == batches.size());
    Batch bad = batches.get(7);
    assertThat(stale(written.remove(bad.id()))).containsExactly(bad.jobIds());
    assertThat(written.values()).allMatch(w -> !w.gone() && w.stale().isEmpty());
    assertThat(database.outcomes()).isEqualTo(19);
    assertThat(database.number("SELECT count(*) FROM millpond.dispatch")).isEqualTo(1);
  }

  @Test
  void aFrozenStrangerStopsNobodyElse() throws Exception {
    Batch frozen = batch();
    List<Batch> others = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      others.add(batch());
    }
    try (Connection stranger = database.connect()) {
      stranger.setAutoCommit(false);
      Database.update(
          stranger, "UPDATE millpond.dispatch SET sent_at = sent_at WHERE id = ?", frozen.id());
      writer.write(finish(frozen, null));
      others.forEach(batch -> writer.write(finish(batch, null)));
      SubmitWork work = new SubmitWork(List.of(job("{}")));
      submit(work);
      work.done().get(5, TimeUnit.SECONDS);
      Fleet.until("the others' news", () -> written.size() == others.size());
      assertThat(written).doesNotContainKey(frozen.id());
      stranger.rollback();
    }
    Fleet.until("its own news", () -> written.containsKey(frozen.id()));
    assertThat(written.values()).allMatch(w -> !w.gone() && w.stale().isEmpty());
    assertThat(database.outcomes()).isEqualTo(11);
  }

  @Test
  void backendsKilledInMidLoadLoseAndDoubleNothing() throws Exception {
    List<SubmitWork> works = new ArrayList<>();
    List<Batch> batches = new ArrayList<>();
    for (int round = 0; round < 15; round++) {
      for (int i = 0; i < 20; i++) {
        SubmitWork work = new SubmitWork(List.of(job("{}"), job("{}"), job("{}")));
        works.add(work);
        submit(work);
      }
      Batch batch = batch();
      batches.add(batch);
      writer.write(finish(batch, null));
      assertThat(database.terminate("millpond-hot-lane"))
          .isLessThanOrEqualTo(2); // its spare as well
    }
    for (SubmitWork work : works) {
      work.done().get(20, TimeUnit.SECONDS);
    }
    Fleet.until("all news", () -> written.size() == batches.size());
    assertThat(written.values()).allMatch(w -> !w.gone() && w.stale().isEmpty());
    assertThat(database.number("SELECT count(*) FROM millpond.job"))
        .isEqualTo(works.size() * 3L + batches.size());
    assertThat(database.outcomes()).isEqualTo(batches.size());
    assertThat(database.depth()).isEqualTo(works.size() * 3L);
  }

  @Test
  void aPlainOutcomeOfABatchThatIsGoneIsStaleAndItsNeighboursCount() throws Exception {
    Batch gone = batch();
    Batch here = batch();
    database.update("DELETE FROM millpond.dispatch WHERE id = ?", gone.id());
    database.update("DELETE FROM millpond.job WHERE id = ?", gone.jobIds()[0]);
    database.update(
        "INSERT INTO millpond.queue_depth (queue, class, delta, bytes)"
            + " VALUES ('default', 'normal', -1, -2)");
    writer.write(finish(gone, null));
    writer.write(finish(here, null));
    Fleet.until("all news", () -> written.size() == 2);
    assertThat(stale(written.get(gone.id()))).containsExactly(gone.jobIds());
    assertThat(written.get(here.id())).isEqualTo(new Written(false, Set.of()));
  }

  private static Set<UUID> stale(@Nullable Written news) {
    return news == null ? Set.of() : news.stale();
  }

  private void submit(SubmitWork work) throws InterruptedException {
    assertThat(writer.submit(work, null, TimeUnit.SECONDS.toNanos(5))).isTrue();
  }

  private NewJob job(String payload) {
    return job("noop", payload);
  }

  private NewJob job(String kind, String payload) {
    return new NewJob(
        ids.get(), LANE.queue(), LANE.priorityClass(), kind, payload, null, NewJob.NOW);
  }

  /** A committed job and the batch it travels in. */
  private Batch batch() throws Exception {
    NewJob job = job(KIND, "{}");
    SubmitWork work = new SubmitWork(List.of(job));
    submit(work);
    work.done().get(20, TimeUnit.SECONDS);
    UUID dispatchId =
        database
            .ids("SELECT id FROM millpond.dispatch WHERE job_ids = ARRAY[?::uuid]", job.id())
            .getFirst();
    return new Batch(dispatchId, LANE, KIND, 0, new UUID[] {job.id()}, null);
  }

  private Portion finish(Batch batch, @Nullable String result) {
    return new Portion(
        LANE,
        KIND,
        batch,
        true,
        List.of(new Success(batch.jobIds()[0], 1, false, 1, 0, result, 0, 2)),
        List.of(),
        List.of(),
        false,
        List.of(),
        false,
        (portion, news) -> written.put(batch.id(), news));
  }
}
