package dev.millpond.engine.worker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.api.JobRequest;
import dev.millpond.engine.Database;
import dev.millpond.engine.Fleet;
import dev.millpond.engine.Fleet.Mode;
import dev.millpond.engine.MillpondConfig;
import dev.millpond.engine.Timing;
import dev.millpond.engine.dispatch.Batch;
import dev.millpond.engine.dispatch.BatchMaker;
import dev.millpond.engine.dispatch.Claimed;
import dev.millpond.engine.dispatch.Claimed.Receipt;
import dev.millpond.engine.dispatch.KindPace;
import dev.millpond.engine.dispatch.Lanes;
import dev.millpond.engine.dispatch.PriorityClasses;
import dev.millpond.engine.dispatch.Ways;
import dev.millpond.engine.dispatch.postgres.PostgresDispatch;
import dev.millpond.engine.dispatch.store.DispatchStore;
import dev.millpond.engine.flow.FlowSettings;
import dev.millpond.engine.flush.KeyedSubmit;
import dev.millpond.engine.flush.KeyedSubmit.Item;
import dev.millpond.engine.flush.NewJob;
import dev.millpond.engine.flush.Writer;
import dev.millpond.engine.lifecycle.store.Pg;
import dev.millpond.engine.lifecycle.store.Transactions;
import dev.millpond.engine.metrics.EngineMetrics;
import dev.millpond.engine.submit.JobIds;
import dev.millpond.engine.trace.Tracing;
import dev.millpond.engine.worker.store.ClaimStore;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.sql.ResultSet;
import java.sql.Statement;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a worker does with a batch that is delivered to it again while it drains. */
class DrainingWorkerIT {
  private static final int JOBS = 4;
  private static final long HOUR_MICROS = TimeUnit.HOURS.toMicros(1);

  /** Batches stay as they are for the whole test. */
  private static final Timing SLOW =
      new Timing(
          Duration.ofMinutes(1),
          Duration.ofSeconds(5),
          Duration.ofSeconds(30),
          Duration.ofSeconds(1));

  private final Session session = new Session();
  private final Lanes lanes = new Lanes(PriorityClasses.DEFAULT);
  private final KindPace pace = new KindPace();
  private final JobIds ids = new JobIds(InstantSource.system());
  private final HandlerRegistry handlers = new HandlerRegistry();
  private final AtomicInteger started = new AtomicInteger();
  private final CountDownLatch go = new CountDownLatch(1);
  private Database database;
  private Fleet fleet;
  private Transactions transactions;
  private PostgresDispatch table;
  private Ways ways;
  private Writer writer;
  private Worker worker;

  @BeforeEach
  void start() {
    database = Database.fresh();
    fleet = Fleet.on(database, Mode.POSTGRES);
    MillpondConfig config = fleet.config().withTiming(SLOW);
    EngineMetrics metrics = new EngineMetrics(new SimpleMeterRegistry());
    transactions = new Transactions(Pg.pool(database.url(), "draining", 2));
    table = new PostgresDispatch(database.url(), session);
    ways = new Ways(List.of(), table);
    writer = new Writer(database.url(), session, new BatchMaker(ids, 1), pace, ways, metrics);
    handlers.registerHandler(
        "held",
        String.class,
        (context, payload) -> {
          started.incrementAndGet();
          return go.await(30, TimeUnit.SECONDS);
        });
    worker =
        new Worker(
            config,
            session,
            handlers,
            lanes,
            () -> FlowSettings.none(PriorityClasses.DEFAULT),
            pace,
            transactions,
            writer,
            metrics,
            new RunTraces(Tracing.NONE, session),
            InstantSource.system());
    writer.start();
    lanes.learn(List.of("default"));
    worker.start(ways);
  }

  @AfterEach
  void stop() {
    worker.close();
    writer.close();
    ways.close();
    transactions.close();
    fleet.end();
    database.close();
  }

  /**
   * To give it back would be a second last portion beside the first: where both share a flush, one
   * gate lets both through, and its jobs have two holders.
   */
  @Test
  void aBatchThatComesAgainWhileItsWorkerDrainsIsNotGivenBack() throws Exception {
    Fleet.submit(fleet.producer(), JobRequest.of("held", ""), JOBS);
    Fleet.until("all run", () -> started.get() == JOBS);
    Batch batch = batch();
    CompletableFuture<Boolean> drained =
        CompletableFuture.supplyAsync(() -> worker.drain(Duration.ofSeconds(20)));
    Fleet.until("it drains", worker::draining);
    try (ClaimStore loader = new ClaimStore(database.url())) {
      Claimed again = new Claimed(batch, new Receipt.Row());
      worker.accept(table, List.of(again), loader.load(List.of(batch)));
    }
    writeWhatWaits();
    go.countDown();

    assertThat(drained.get()).isTrue();
    Fleet.until("the ends", () -> database.outcomes() == JOBS || rows() > 0);
    assertThat(rows()).isZero();
    assertThat(database.outcomes()).isEqualTo(JOBS);
    assertThat(started.get()).isEqualTo(JOBS);
  }

  /** The cold lane takes one after the other: what it had before is written once this is. */
  private void writeWhatWaits() throws Exception {
    NewJob later =
        new NewJob(
            ids.get(), "default", "normal", "held", "\"\"", null, new NewJob.Start.In(HOUR_MICROS));
    KeyedSubmit.Key key = new KeyedSubmit.Key("test", "after", new byte[32], HOUR_MICROS);
    CompletableFuture<List<KeyedSubmit.Verdict>> done = new CompletableFuture<>();
    assertThat(
            writer.submit(
                new KeyedSubmit(List.of(new Item(later, key)), null, done),
                null,
                TimeUnit.SECONDS.toNanos(5)))
        .isTrue();
    done.get(10, TimeUnit.SECONDS);
  }

  private long rows() {
    return database.number("SELECT count(*) FROM millpond.dispatch WHERE claimed_by IS NULL");
  }

  private Batch batch() {
    return transactions.call(tx -> {
      try (Statement statement = tx.createStatement();
          ResultSet row =
              statement.executeQuery(
                  "SELECT " + DispatchStore.COLUMNS + " FROM millpond.dispatch")) {
        assertThat(row.next()).isTrue();
        return DispatchStore.batch(row);
      }
    });
  }
}
