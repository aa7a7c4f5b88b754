package dev.millpond.engine.worker;

import dev.millpond.api.HandlerOptions;
import dev.millpond.engine.dispatch.Batch;
import dev.millpond.engine.dispatch.BatchMaker;
import dev.millpond.engine.dispatch.Claimed;
import dev.millpond.engine.dispatch.Claimed.Receipt;
import dev.millpond.engine.dispatch.Dispatch;
import dev.millpond.engine.dispatch.KindPace;
import dev.millpond.engine.dispatch.Lane;
import dev.millpond.engine.dispatch.PriorityClasses;
import dev.millpond.engine.dispatch.Ways;
import dev.millpond.engine.dispatch.postgres.PostgresDispatch;
import dev.millpond.engine.flow.FlowSettings;
import dev.millpond.engine.flush.Writer;
import dev.millpond.engine.metrics.EngineMetrics;
import dev.millpond.engine.trace.Tracing;
import dev.millpond.engine.worker.HandlerRegistry.Registration;
import dev.millpond.engine.worker.WeightedLanes.Chunk;
import dev.millpond.engine.worker.store.ClaimStore.LoadedJob;
import dev.millpond.engine.worker.store.UserTransaction;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * The next attempts for a slot, of one job: quick kinds give 64 at a time, slow ones one by one. In
 * lanes of three classes of one or of thirty queues.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 20)
@Measurement(iterations = 20)
@Fork(1)
public class WeightedLanesMicro {
  private static final int RUNS = 900;
  private static final int JOBS = RUNS * Batch.JOBS_MAX;
  private static final String NOWHERE = "jdbc:postgresql://127.0.0.1:1/none";

  @Param({"1", "30"})
  int queues;

  @Param({"2", "500000"})
  int micros;

  private final Session session = new Session();
  private final Dispatch way = new PostgresDispatch(NOWHERE, session);
  private final Desk desk = desk();
  private final Registration<?> registration =
      new Registration<>(String.class, (job, payload) -> null, HandlerOptions.DEFAULT, null);
  private final KindPace pace = new KindPace();
  private final FlowSettings settings = FlowSettings.none(PriorityClasses.DEFAULT);
  private WeightedLanes lanes = lanes();

  @Setup(Level.Invocation)
  public void fill() {
    pace.sample("kind", micros, 64);
    lanes = lanes();
    List<Lane> all = new ArrayList<>();
    for (int queue = 0; queue < queues; queue++) {
      for (String priorityClass : List.of("critical", "high", "normal")) {
        all.add(new Lane("queue-" + queue, priorityClass));
      }
    }
    for (int i = 0; i < RUNS; i++) {
      lanes.add(run(all.get(i % all.size())));
    }
  }

  @Benchmark
  @OperationsPerInvocation(JOBS)
  public int take() {
    int taken = 0;
    for (Chunk chunk = lanes.take(); chunk != null; chunk = lanes.take()) {
      taken += chunk.attempts().size();
    }
    return taken;
  }

  private WeightedLanes lanes() {
    return new WeightedLanes(() -> settings, pace, InstantSource.system());
  }

  private Desk desk() {
    EngineMetrics metrics = new EngineMetrics(new SimpleMeterRegistry());
    BatchMaker maker = new BatchMaker(UUID::randomUUID, 1);
    return new Desk(
        new Writer(NOWHERE, session, maker, new KindPace(), new Ways(List.of(), way), metrics),
        metrics,
        new RunTraces(Tracing.NONE, session),
        InstantSource.system(),
        new UserTransaction(NOWHERE, session, Duration.ofSeconds(1), 1_000));
  }

  private BatchRun run(Lane lane) {
    UUID[] ids = new UUID[Batch.JOBS_MAX];
    for (int i = 0; i < ids.length; i++) {
      ids[i] = UUID.randomUUID();
    }
    Batch batch = new Batch(UUID.randomUUID(), lane, "kind", 0, ids, null);
    BatchRun run = new BatchRun(new Claimed(batch, new Receipt.Row()), way, registration, desk);
    for (UUID id : ids) {
      LoadedJob job = new LoadedJob(id, 1, 1, false, "null", null);
      run.add(Attempt.of(run, job, HandlerOptions.DEFAULT));
    }
    return run;
  }
}
