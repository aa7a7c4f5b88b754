package dev.millpond.engine.dispatch;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.engine.Database;
import dev.millpond.engine.Fleet;
import dev.millpond.engine.dispatch.BatchMaker.Member;
import dev.millpond.engine.dispatch.store.DepthStore;
import dev.millpond.engine.dispatch.store.DepthStore.Change;
import dev.millpond.engine.dispatch.store.DispatchStore;
import dev.millpond.engine.lifecycle.store.Pg;
import dev.millpond.engine.lifecycle.store.Transactions;
import dev.millpond.engine.submit.JobIds;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;

/** What every way from the commit to the workers does alike. */
@TestInstance(Lifecycle.PER_CLASS)
public abstract class DispatchContract {
  protected static final Lane NORMAL = new Lane("default", "normal");
  protected static final Lane HIGH = new Lane("default", "high");
  protected static final Duration WAIT = Duration.ofSeconds(5);

  protected Database database;

  protected final BatchMaker maker = new BatchMaker(new JobIds(InstantSource.system()), 1);
  protected Transactions transactions;
  private final List<Dispatch> opened = new ArrayList<>();

  /** A way as one session has it. */
  protected abstract Dispatch open(UUID session);

  @BeforeAll
  void createDatabase() {
    database = Database.fresh();
  }

  @AfterAll
  void closeDatabase() {
    database.close();
  }

  @BeforeEach
  void openTransactions() {
    database.empty();
    transactions = new Transactions(Pg.pool(database.url(), "contract", 2));
  }

  @AfterEach
  void closeAll() {
    opened.forEach(Dispatch::close);
    opened.clear();
    transactions.close();
    Fleet.assertBooksClean(database);
  }

  protected Dispatch session() {
    Dispatch dispatch = open(UUID.randomUUID());
    opened.add(dispatch);
    return dispatch;
  }

  protected static Demand demand(int batches, Lane... lanes) {
    return Demand.ofEach(List.of(lanes), Set.of("noop"), batches);
  }

  /** Commits batches of one job each, and puts them on their way. */
  protected List<Batch> put(Dispatch by, Lane lane, int count) {
    List<Batch> batches = commit(lane, "noop", count);
    by.send(batches, System.nanoTime());
    return batches;
  }

  protected List<Batch> commit(Lane lane, String kind, int count) {
    return transactions.call(tx -> {
      List<Batch> batches = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        UUID job = UUID.randomUUID();
        Database.update(
            tx,
            "INSERT INTO millpond.job (id, queue, class, kind, payload) VALUES (?, ?, ?, ?, '{}')",
            job,
            lane.queue(),
            lane.priorityClass(),
            kind);
        batches.add(maker.make(lane, kind, List.of(new Member(job, 1))));
      }
      DispatchStore.insert(tx, batches, false);
      DepthStore.add(tx, List.of(new Change(lane, count, 0, 2L * count)));
      return batches;
    });
  }

  protected static List<Batch> batches(List<Claimed> claimed) {
    return claimed.stream().map(Claimed::batch).toList();
  }

  /** Claims until so many have come. */
  protected static List<Claimed> claim(Dispatch dispatch, Demand demand, int count) {
    List<Claimed> all = new ArrayList<>();
    Fleet.until(
        count + " claims",
        () -> {
          all.addAll(dispatch.claim(demand, Duration.ofMillis(50)));
          return all.size() >= count;
        });
    return all;
  }

  @Test
  void whatIsPutIsClaimedOnceByOneOfTwoSessions() throws Exception {
    int count = 300;
    Dispatch producer = session();
    List<Dispatch> workers = List.of(session(), session());
    Map<UUID, Integer> times = new HashMap<>();
    try (ExecutorService pool = Executors.newFixedThreadPool(2)) {
      List<Future<List<Claimed>>> claims = new ArrayList<>();
      for (Dispatch worker : workers) {
        claims.add(
            pool.submit(() -> {
              List<Claimed> mine = new ArrayList<>();
              List<Claimed> some;
              do {
                some = worker.claim(demand(7, NORMAL), Duration.ofSeconds(1));
                mine.addAll(some);
              } while (!some.isEmpty());
              return mine;
            }));
      }
      List<Batch> put = put(producer, NORMAL, count);
      for (Future<List<Claimed>> claim : claims) {
        batches(claim.get(30, TimeUnit.SECONDS)).forEach(b -> times.merge(b.id(), 1, Integer::sum));
      }
      assertThat(times.keySet())
          .containsExactlyInAnyOrderElementsOf(put.stream().map(Batch::id).toList());
      assertThat(times.values()).containsOnly(1);
    }
  }

  @Test
  void aBatchArrivesAsItWasPut() {
    Dispatch dispatch = session();
    Batch put = put(dispatch, NORMAL, 1).getFirst();
    Batch claimed = claim(dispatch, demand(4, NORMAL), 1).getFirst().batch();
    assertThat(claimed.id()).isEqualTo(put.id());
    assertThat(claimed.lane()).isEqualTo(NORMAL);
    assertThat(claimed.kind()).isEqualTo("noop");
    assertThat(claimed.jobIds()).isEqualTo(put.jobIds());
    assertThat(claimed.tokens()).isNull();
  }

  @Test
  void onlyLanesThatAreAskedForAreTaken() {
    Dispatch dispatch = session();
    List<Batch> normal = put(dispatch, NORMAL, 3);
    List<Batch> high = put(dispatch, HIGH, 3);
    assertThat(batches(claim(dispatch, demand(10, HIGH), 3)))
        .containsExactlyInAnyOrderElementsOf(high);
    assertThat(dispatch.claim(demand(10, HIGH), Duration.ZERO.plusMillis(20))).isEmpty();
    assertThat(batches(claim(dispatch, demand(10, NORMAL, HIGH), 3)))
        .containsExactlyInAnyOrderElementsOf(normal);
  }

  @Test
  void theOldestComesFirstAndNoMoreOfALaneThanWanted() {
    Dispatch dispatch = session();
    List<Batch> put = put(dispatch, NORMAL, 10);
    List<Claimed> all = new ArrayList<>();
    Fleet.until(
        "all",
        () -> {
          List<Claimed> some = dispatch.claim(demand(3, NORMAL), Duration.ofMillis(50));
          assertThat(some).hasSizeLessThanOrEqualTo(3);
          all.addAll(some);
          return all.size() == 10;
        });
    assertThat(batches(all)).containsExactlyElementsOf(put);
  }

  @Test
  void anEmptyClaimWaitsAndReturns() {
    Dispatch dispatch = session();
    long began = System.nanoTime();
    assertThat(dispatch.claim(demand(4, NORMAL), Duration.ofMillis(300))).isEmpty();
    assertThat(Duration.ofNanos(System.nanoTime() - began))
        .isBetween(Duration.ofMillis(250), Duration.ofSeconds(3));
  }

  @Test
  void aWaitingClaimEndsWhenSomethingComes() throws Exception {
    Dispatch worker = session();
    Dispatch producer = session();
    CompletableFuture<List<Claimed>> claim =
        CompletableFuture.supplyAsync(() -> worker.claim(demand(4, NORMAL), WAIT));
    List<Batch> put = put(producer, NORMAL, 1);
    assertThat(batches(claim.get(10, TimeUnit.SECONDS))).isEqualTo(put);
  }

  @Test
  void aReleaseIsHarmlessHoweverOftenItIsDone() {
    Dispatch dispatch = session();
    put(dispatch, NORMAL, 2);
    List<Claimed> claimed = claim(dispatch, demand(4, NORMAL), 2);
    dispatch.release(claimed);
    dispatch.release(claimed);
    put(dispatch, NORMAL, 1);
    assertThat(claim(dispatch, demand(4, NORMAL), 1)).hasSize(1);
    assertThat(dispatch.up()).isTrue();
  }
}
