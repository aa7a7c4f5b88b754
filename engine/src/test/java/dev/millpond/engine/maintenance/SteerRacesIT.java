package dev.millpond.engine.maintenance;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.api.CancelResult;
import dev.millpond.api.JobOptions;
import dev.millpond.api.JobRequest;
import dev.millpond.api.JobRequest.Start;
import dev.millpond.api.JobState;
import dev.millpond.api.SteerResult;
import dev.millpond.engine.Database;
import dev.millpond.engine.Fleet;
import dev.millpond.engine.Fleet.Mode;
import dev.millpond.engine.dispatch.Batch;
import dev.millpond.engine.dispatch.Claimed;
import dev.millpond.engine.dispatch.Demand;
import dev.millpond.engine.dispatch.Lane;
import dev.millpond.engine.dispatch.Ways;
import dev.millpond.engine.dispatch.postgres.PostgresDispatch;
import dev.millpond.engine.dispatch.store.DispatchStore.Sort;
import dev.millpond.engine.flush.Portion;
import dev.millpond.engine.flush.Portion.End;
import dev.millpond.engine.flush.Portion.Success;
import dev.millpond.engine.flush.Writer;
import dev.millpond.engine.maintenance.store.FeedStore;
import dev.millpond.engine.query.store.SteerStore;
import dev.millpond.engine.worker.store.ClaimStore;
import dev.millpond.engine.worker.store.ClaimStore.Loaded;
import dev.millpond.engine.worker.store.ClaimStore.LoadedJob;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Whoever steers a job meets, at a barrier, whoever takes it: one of them has it, and the books and
 * the depth of each class stay exact.
 */
class SteerRacesIT {
  private static final int ROUNDS_LEAST = 25;

  /** One side may win again and again on a busy machine; then it is tried on. */
  private static final int ROUNDS_MOST = 500;

  private static final int BATCH = 3;
  private static final long SPREAD_NANOS = TimeUnit.MILLISECONDS.toNanos(2);
  private static final Duration HOUR = Duration.ofHours(1);
  private static final JobRequest NOOP = JobRequest.of("noop", "");
  private static final JobRequest EXPIRING =
      NOOP.withOptions(JobOptions.DEFAULT.withExpiresIn(HOUR.multipliedBy(2)));

  private static Database database;
  private final UUID session = UUID.randomUUID();
  private RoleScene scene;
  private PostgresDispatch dispatch;
  private Ways ways;
  private Writer writer;
  private ClaimStore loader;
  private Expirer expirer;
  private long submitted;

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
    dispatch = new PostgresDispatch(database.url(), () -> session);
    ways = new Ways(List.of(), dispatch);
    writer =
        new Writer(database.url(), () -> session, scene.maker, scene.pace, ways, scene.metrics);
    writer.start();
    loader = new ClaimStore(database.url());
    expirer = new Expirer(scene.leadership, scene.metrics, Expirer.Config.DEFAULT);
  }

  @AfterEach
  void stop() {
    assertThat(database.outcomes()).isEqualTo(submitted);
    new Tidier(scene.leadership, Tidier.Config.DEFAULT).runOnce(); // states of cancelled jobs
    for (String table : List.of("dispatch", "job_state")) {
      assertThat(database.number("SELECT count(*) FROM millpond." + table)).as(table).isZero();
    }
    assertThat(
            database.strings(
                "SELECT class FROM millpond.queue_depth GROUP BY class HAVING sum(delta) <> 0"))
        .isEmpty();
    writer.close();
    loader.close();
    ways.close();
    scene.end();
  }

  private List<UUID> submit(JobRequest request) {
    submitted += BATCH;
    return Fleet.submit(scene.producer, request, BATCH);
  }

  private JobState state(UUID id) {
    return scene.producer.find(id).orElseThrow().state();
  }

  /** Claims what waits, as a worker does. */
  private List<Batch> claim() {
    Demand demand =
        Demand.ofEach(List.of(RoleScene.LANE, new Lane("default", "high")), Set.of("noop"), 4);
    return dispatch.claim(demand, Duration.ZERO).stream().map(Claimed::batch).toList();
  }

  private void claimAndFinish() {
    finish(claim());
  }

  /** Runs what is left of batches, and ends it well. */
  private void finish(List<Batch> batches) {
    if (batches.isEmpty()) {
      return;
    }
    List<Loaded> loaded = loader.load(batches);
    List<CompletableFuture<Void>> written = new ArrayList<>();
    for (int i = 0; i < batches.size(); i++) {
      if (!loaded.get(i).exists()) {
        continue;
      }
      List<End> ends = new ArrayList<>();
      for (LoadedJob job : loaded.get(i).jobs()) {
        ends.add(new Success(job.id(), job.token(), job.hasState(), job.attempt(), 0, "1", 0, 2));
      }
      CompletableFuture<Void> news = new CompletableFuture<>();
      written.add(news);
      Batch batch = batches.get(i);
      writer.write(
          new Portion(
              batch.lane(),
              batch.kind(),
              batch,
              true,
              ends,
              List.of(),
              List.of(),
              false,
              List.of(),
              false,
              (portion, result) -> news.complete(null)));
    }
    written.forEach(CompletableFuture::join);
  }

  /**
   * Races.
   *
   * @param jobs makes the jobs of a round, of which one is steered
   * @param steer what is done to it
   * @param other who meets that
   * @param check looks at the job and the result before the rest is finished
   * @param wanted states that jobs are to be in after one round or another
   */
  private <R> void race(
      Supplier<List<UUID>> jobs,
      Function<UUID, R> steer,
      Runnable other,
      Check<R> check,
      JobState... wanted)
      throws Exception {
    Set<JobState> seen = EnumSet.noneOf(JobState.class);
    CyclicBarrier barrier = new CyclicBarrier(2);
    try (ExecutorService pool = Executors.newFixedThreadPool(2)) {
      for (int round = 0;
          round < ROUNDS_LEAST || (round < ROUNDS_MOST && !seen.containsAll(List.of(wanted)));
          round++) {
        List<UUID> ids = jobs.get();
        UUID id = ids.get(round % ids.size());
        long lead = ThreadLocalRandom.current().nextLong(-SPREAD_NANOS, SPREAD_NANOS);
        Future<R> steering =
            pool.submit(() -> {
              barrier.await(20, TimeUnit.SECONDS);
              LockSupport.parkNanos(lead);
              return steer.apply(id);
            });
        Future<?> meeting =
            pool.submit(() -> {
              barrier.await(20, TimeUnit.SECONDS);
              LockSupport.parkNanos(-lead);
              other.run();
              return null;
            });
        R result = steering.get(20, TimeUnit.SECONDS);
        meeting.get(20, TimeUnit.SECONDS);
        JobState state = state(id);
        seen.add(state);
        check.of(id, state, result);
        finish(scene.batches());
        ids.stream()
            .filter(job -> state(job) == JobState.SCHEDULED)
            .forEach(scene.producer::cancel);
        ids.forEach(job -> assertThat(state(job).ended()).isTrue());
      }
    }
    assertThat(seen).containsAll(List.of(wanted));
  }

  /** Looks at a round. */
  private interface Check<R> {
    void of(UUID id, JobState state, R result);
  }

  @Test
  void cancelAgainstAWorker() throws Exception {
    race(
        () -> submit(NOOP),
        scene.producer::cancel,
        this::claimAndFinish,
        (id, state, result) -> {
          switch (result) {
            case CancelResult.Cancelled ignored -> assertThat(state).isEqualTo(JobState.CANCELLED);
            case CancelResult.Requested ignored -> assertThat(state).isEqualTo(JobState.CANCELLED);
            case CancelResult.WrongState wrong -> assertThat(state).isEqualTo(wrong.state());
            case CancelResult.NotFound ignored -> throw new AssertionError(id.toString());
          }
        },
        JobState.CANCELLED,
        JobState.SUCCEEDED);
  }

  @Test
  void runNowAgainstThePromoter() throws Exception {
    Promoter promoter =
        new Promoter(scene.leadership, scene.maker, scene.pace, Promoter.Config.DEFAULT, () -> {});
    race(
        () -> {
          List<UUID> ids = submit(NOOP.withDelay(HOUR));
          database.update("UPDATE millpond.job_state SET run_at = now() - interval '1 s'");
          return ids;
        },
        scene.producer::runNow,
        promoter::runOnce,
        (id, state, result) -> {
          assertThat(result).isEqualTo(new SteerResult.Done());
          assertThat(state).isEqualTo(JobState.RUNNABLE);
          assertThat(
                  database.number(
                      "SELECT count(*) FROM millpond.dispatch WHERE job_ids @> ARRAY[?::uuid]", id))
              .isEqualTo(1);
        });
  }

  @Test
  void reschedulingAgainstAWorker() throws Exception {
    race(
        () -> submit(NOOP),
        id -> scene.producer.reschedule(id, new Start.In(HOUR)),
        this::claimAndFinish,
        changed(JobState.SCHEDULED),
        JobState.SCHEDULED,
        JobState.SUCCEEDED);
  }

  /** Done means done; otherwise the worker had the job. */
  private static Check<SteerResult> changed(JobState done) {
    return (id, state, result) -> {
      switch (result) {
        case SteerResult.Done ignored -> assertThat(state).isEqualTo(done);
        case SteerResult.OnItsWay ignored -> assertThat(state).isEqualTo(JobState.SUCCEEDED);
        case SteerResult.WrongState wrong -> assertThat(state).isEqualTo(wrong.state());
        case SteerResult.NotFound ignored -> throw new AssertionError(id.toString());
      }
    };
  }

  @Test
  void aChangeOfClassAgainstTheFeeder() throws Exception {
    Sort sort = new Sort(RoleScene.LANE, "noop");
    List<SteerResult> results = new ArrayList<>();
    Set<SteerResult> both = Set.of(new SteerResult.Done(), new SteerResult.OnItsWay());
    do {
      race(
          () -> submit(NOOP),
          id -> scene.producer.changeClass(id, "high"),
          () -> scene.leadership.call(tx -> FeedStore.markSent(tx, sort, 0, List.of(0), 10)),
          (id, state, result) -> {
            results.add(result);
            boolean done = result.equals(new SteerResult.Done());
            assertThat(
                    database.strings(
                        "SELECT class || (sent_at IS NOT NULL) FROM millpond.dispatch"
                            + " WHERE job_ids @> ARRAY[?::uuid]",
                        id))
                .containsExactly(done ? "highfalse" : "normaltrue");
          });
    } while (results.size() < ROUNDS_MOST && !results.containsAll(both));
    assertThat(results).containsAll(both);
  }

  @Test
  void aChangeOfClassAgainstAWorker() throws Exception {
    race(
        () -> submit(NOOP),
        id -> scene.producer.changeClass(id, "high"),
        this::claimAndFinish,
        (id, state, result) -> {
          if (!result.equals(new SteerResult.Done())) {
            assertThat(state).isEqualTo(JobState.SUCCEEDED);
          }
        });
  }

  @Test
  void theExpirerAgainstAWorkerThatHasStartedInTime() throws Exception {
    race(
        this::expired,
        id -> expirer.runOnce(),
        this::claimAndFinish,
        (id, state, result) -> assertThat(state.ended() || result.left() > 0).isTrue(),
        JobState.CANCELLED,
        JobState.SUCCEEDED);
  }

  private List<UUID> expired() {
    List<UUID> ids = submit(EXPIRING);
    database.update("UPDATE millpond.job_expiry SET look_at = now() - interval '1 s'");
    return ids;
  }

  @Test
  void theExpirerAgainstACancellation() throws Exception {
    race(
        this::expired,
        scene.producer::cancel,
        expirer::runOnce,
        (id, state, result) -> assertThat(state).isEqualTo(JobState.CANCELLED));
  }

  @Test
  void cancelAgainstAChangeOfClassAndOfTheRunTime() throws Exception {
    Consumer<UUID> change =
        id -> {
          scene.producer.changeClass(id, "high");
          scene.producer.reschedule(id, new Start.In(HOUR));
          scene.producer.runNow(id);
        };
    List<UUID> current = new ArrayList<>();
    race(
        () -> {
          List<UUID> ids = submit(NOOP);
          current.clear();
          current.addAll(ids);
          return ids;
        },
        scene.producer::cancel,
        () -> current.forEach(change),
        (id, state, result) -> {
          assertThat(result)
              .isInstanceOfAny(CancelResult.Cancelled.class, CancelResult.Requested.class);
          assertThat(state).isEqualTo(JobState.CANCELLED);
        });
  }

  /** A worker that has taken the row would read no outcome before the commit, and run the job. */
  @Test
  void aJobThatIsSaidNotToHaveStartedCannotBeTakenBeforeThatIsCommitted() {
    List<UUID> ids = submit(NOOP.withDelay(HOUR));
    database.update("UPDATE millpond.job_state SET run_at = now() - interval '1 s'");
    new Promoter(scene.leadership, scene.maker, scene.pace, Promoter.Config.DEFAULT, () -> {})
        .runOnce();
    List<Batch> taken = new ArrayList<>();

    CancelResult result =
        scene.transactions.call(tx -> {
          CancelResult answer = SteerStore.cancel(tx, ids.getFirst());
          taken.addAll(claim());
          return answer;
        });

    assertThat(result).isEqualTo(new CancelResult.Cancelled());
    assertThat(taken).isEmpty();
    claimAndFinish();
  }
}
