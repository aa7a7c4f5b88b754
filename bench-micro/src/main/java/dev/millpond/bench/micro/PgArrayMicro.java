package dev.millpond.bench.micro;

import dev.millpond.engine.flush.NewJob;
import dev.millpond.engine.lifecycle.store.PgArray;
import java.util.List;
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

/** Parameters of a flush of a thousand jobs, of one job each. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 3, time = 1)
@Fork(1)
public class PgArrayMicro {
  private final List<NewJob> jobs = Jobs.make();

  @Benchmark
  @OperationsPerInvocation(Jobs.COUNT)
  public PgArray uuids() {
    return PgArray.uuids(jobs, NewJob::id);
  }

  @Benchmark
  @OperationsPerInvocation(Jobs.COUNT)
  public PgArray shortTexts() {
    return PgArray.texts(jobs, NewJob::kind);
  }

  @Benchmark
  @OperationsPerInvocation(Jobs.COUNT)
  public PgArray payloads() {
    return PgArray.texts(jobs, NewJob::payload);
  }

  @Benchmark
  @OperationsPerInvocation(Jobs.COUNT)
  public PgArray instants() {
    return PgArray.instants(jobs, job -> 1_700_000_000_000_000L);
  }
}
