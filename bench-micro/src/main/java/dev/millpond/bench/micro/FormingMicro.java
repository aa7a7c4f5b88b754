package dev.millpond.bench.micro;

import dev.millpond.engine.dispatch.Batch;
import dev.millpond.engine.dispatch.BatchMaker;
import dev.millpond.engine.dispatch.KindPace;
import dev.millpond.engine.flush.BatchFormer;
import dev.millpond.engine.flush.NewJob;
import dev.millpond.engine.submit.JobIds;
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

/** Ids, and the batches of a flush of a thousand jobs; both of one job. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 3, time = 1)
@Fork(1)
public class FormingMicro {
  private final JobIds ids = new JobIds(InstantSource.system());
  private final List<NewJob> jobs = Jobs.make();
  private final BatchFormer former = new BatchFormer(new BatchMaker(ids, 4), new KindPace());

  @Benchmark
  public UUID id() {
    return ids.get();
  }

  @Benchmark
  @OperationsPerInvocation(Jobs.COUNT)
  public List<Batch> batches() {
    return former.form(jobs);
  }
}
