package dev.millpond.engine.flush.store;

import dev.millpond.bench.micro.Jobs;
import dev.millpond.engine.dispatch.BatchMaker;
import dev.millpond.engine.dispatch.KindPace;
import dev.millpond.engine.flush.BatchFormer;
import dev.millpond.engine.flush.NewJob;
import dev.millpond.engine.flush.Routed;
import dev.millpond.engine.flush.Routed.Route;
import dev.millpond.engine.submit.JobIds;
import java.lang.reflect.Proxy;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.InstantSource;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * All parameters of a flush of a thousand new jobs, of one job: encoded and handed to a statement
 * that does nothing.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 3, time = 1)
@Fork(1)
public class FlushBindingMicro {
  private final List<NewJob> jobs = Jobs.make();
  private final List<Routed> batches =
      new BatchFormer(new BatchMaker(new JobIds(InstantSource.system()), 4), new KindPace())
          .form(jobs).stream().map(batch -> new Routed(batch, Route.SENT)).toList();
  private final JobRows rows = new JobRows(jobs, batches, UUID.randomUUID());
  private final PreparedStatement nowhere =
      (PreparedStatement)
          Proxy.newProxyInstance(
              PreparedStatement.class.getClassLoader(),
              new Class<?>[] {PreparedStatement.class},
              (proxy, method, arguments) -> null);

  @Benchmark
  @OperationsPerInvocation(Jobs.COUNT)
  public int bind() throws SQLException {
    return rows.bind(nowhere, 0);
  }
}
