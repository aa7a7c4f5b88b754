package dev.millpond.engine.worker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.api.Backoff;
import dev.millpond.api.HandlerOptions;
import dev.millpond.api.JobRequest;
import dev.millpond.api.JobState;
import dev.millpond.api.JobView;
import dev.millpond.api.LeaseLostException;
import dev.millpond.engine.Database;
import dev.millpond.engine.Fleet;
import dev.millpond.engine.Fleet.Mode;
import dev.millpond.engine.Millpond;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A handler's own rows and the outcome of its job are committed together, or neither. */
class CompleteInIT {
  private static final HandlerOptions QUICK_RETRY =
      HandlerOptions.DEFAULT.withBackoff(new Backoff(Duration.ofMillis(1), Duration.ofMillis(2)));

  private static final String PAY = "INSERT INTO public.ledger (job_id, attempt) VALUES (?, ?)";

  private static Database database;
  private Fleet fleet;

  @BeforeAll
  static void open() {
    database = Database.fresh();
    database.update("CREATE TABLE public.ledger (job_id uuid UNIQUE, attempt integer)");
  }

  @AfterAll
  static void shut() {
    database.close();
  }

  @BeforeEach
  void start() {
    fleet = Fleet.on(database, Mode.POSTGRES);
    database.update("TRUNCATE public.ledger");
  }

  @AfterEach
  void stop() {
    fleet.end();
  }

  @Test
  void rowsAndOutcomeAreCommittedTogether() {
    Millpond node =
        fleet.worker(m ->
            m.registerHandler(
                "pay",
                String.class,
                (context, p) -> {
                  context.completeIn(tx -> {
                    Database.update(tx, PAY, context.jobId(), context.attempt());
                    return "paid";
                  });
                  return "ignored";
                }));
    List<UUID> ids = Fleet.submit(node, JobRequest.of("pay", ""), 100);
    fleet.untilEnded(100);
    assertThat(database.ids("SELECT job_id FROM public.ledger"))
        .containsExactlyInAnyOrderElementsOf(ids);
    assertThat(node.find(ids.getFirst()).orElseThrow().result()).isEqualTo("\"paid\"");
    fleet.assertCounted("completed", 100);
    assertThat(database.depth()).isZero();
  }

  @Test
  void anErrorRollsTheRowsBackAndFailsTheAttempt() {
    Millpond node =
        fleet.worker(m ->
            m.registerHandler(
                "pay",
                String.class,
                (context, p) -> {
                  context.completeIn(tx -> {
                    Database.update(tx, PAY, context.jobId(), context.attempt());
                    if (context.attempt() == 1) {
                      throw new IllegalStateException("after the write");
                    }
                    if (context.attempt() == 2) {
                      throw new StackOverflowError("after the write");
                    }
                    return null;
                  });
                  return null;
                },
                QUICK_RETRY));
    fleet.maintainer();
    UUID id = node.submitOrThrow(JobRequest.of("pay", ""));
    JobView job = fleet.untilState(id, JobState.SUCCEEDED);
    assertThat(job.attempts()).hasSize(3);
    assertThat(Objects.requireNonNull(job.attempts().getFirst().error()).message())
        .isEqualTo("after the write");
    assertThat(database.strings("SELECT attempt FROM public.ledger")).containsExactly("3");
  }

  @Test
  void aRescuedJobWritesNothingAndIsTold() throws Exception {
    CountDownLatch rescued = new CountDownLatch(1);
    CompletableFuture<Throwable> told = new CompletableFuture<>();
    Millpond node =
        fleet.worker(m ->
            m.registerHandler(
                "pay",
                String.class,
                (context, p) -> {
                  if (context.leaseToken() == 1) {
                    awaitDeafly(rescued);
                  }
                  try {
                    context.completeIn(tx -> {
                      Database.update(tx, PAY, context.jobId(), context.leaseToken());
                      return context.leaseToken();
                    });
                  } catch (RuntimeException e) {
                    told.complete(e);
                    throw e;
                  }
                  return null;
                }));
    fleet.maintainer();
    UUID id = node.submitOrThrow(JobRequest.of("pay", ""));
    fleet.untilState(id, JobState.RUNNING);
    // As if its session had not been seen for long: the reaper moves the job on.
    database.update("UPDATE millpond.job_state SET session = gen_random_uuid()");
    assertThat(fleet.untilState(id, JobState.SUCCEEDED).result()).isEqualTo("2");
    rescued.countDown();
    assertThat(told.get(10, TimeUnit.SECONDS))
        .isInstanceOfAny(LeaseLostException.class, dev.millpond.api.AttemptStoppedException.class);
    assertThat(database.strings("SELECT attempt FROM public.ledger")).containsExactly("2");
  }

  @Test
  void aGateThatIsGoneThrowsLeaseLost() throws Exception {
    CompletableFuture<Throwable> told = new CompletableFuture<>();
    Millpond node =
        fleet.worker(m ->
            m.registerHandler(
                "pay",
                String.class,
                (context, p) -> {
                  if (context.leaseToken() > 1) {
                    return "elsewhere";
                  }
                  try {
                    context.completeIn(tx -> {
                      throw new AssertionError("not reached");
                    });
                  } catch (LeaseLostException e) {
                    told.complete(e);
                    throw e;
                  }
                  return null;
                }));
    // Whoever tracks a job finds it with somebody else at once.
    database.update(
        """
        CREATE FUNCTION public.steal() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          IF NEW.phase = 'running' AND NEW.lease_token = 1 THEN
            NEW.session := gen_random_uuid();
          END IF;
          RETURN NEW;
        END $$
        """);
    database.update(
        "CREATE TRIGGER steal BEFORE INSERT ON millpond.job_state"
            + " FOR EACH ROW EXECUTE FUNCTION public.steal()");
    try {
      UUID id = node.submitOrThrow(JobRequest.of("pay", ""));
      assertThat(told.get(10, TimeUnit.SECONDS)).hasMessageContaining(id.toString());
      fleet.maintainer();
      assertThat(fleet.untilState(id, JobState.SUCCEEDED).result()).isEqualTo("\"elsewhere\"");
      fleet.assertCounted("stale", 1);
    } finally {
      database.update("DROP TRIGGER steal ON millpond.job_state");
      database.update("DROP FUNCTION public.steal");
    }
  }

  @Test
  void aTransactionLongerThanTheLeaseDelaysNoBeat() throws Exception {
    AtomicInteger runs = new AtomicInteger();
    Millpond node =
        fleet.worker(m ->
            m.registerHandler(
                "slow",
                String.class,
                (context, p) -> {
                  runs.incrementAndGet();
                  context.completeIn(tx -> {
                    Database.update(tx, "SET LOCAL statement_timeout = 0");
                    Database.update(tx, PAY, context.jobId(), context.attempt());
                    Database.update(
                        tx, "INSERT INTO public.ledger SELECT NULL, 0 FROM pg_sleep(5)");
                    return null;
                  });
                  return null;
                }));
    fleet.maintainer();
    Fleet.submit(node, JobRequest.of("slow", ""), 12);
    fleet.untilEnded(12);
    assertThat(runs).as("nothing was taken from a session that seemed silent").hasValue(12);
    assertThat(database.strings("SELECT session FROM millpond.worker"))
        .containsExactly(node.nodeId().toString());
  }

  private static void awaitDeafly(CountDownLatch latch) {
    boolean open = false;
    while (!open) {
      try {
        open = latch.await(20, TimeUnit.SECONDS);
      } catch (InterruptedException e) {
        open = false;
      }
    }
  }
}
