package dev.millpond.engine.dispatch.streams;

import dev.millpond.engine.dispatch.Batch;
import dev.millpond.engine.dispatch.Lane;
import java.util.Objects;
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

/** A stream entry of 64 jobs, of one job. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 3, time = 1)
@Fork(1)
public class EntryCodecMicro {
  private static final int SIZE = Batch.JOBS_MAX;

  private final Lane lane = new Lane("default", "normal");
  private final Batch batch = batch();
  private final byte[] entry = EntryCodec.encode(batch);

  private Batch batch() {
    UUID[] ids = new UUID[SIZE];
    for (int i = 0; i < SIZE; i++) {
      ids[i] = UUID.randomUUID();
    }
    return new Batch(UUID.randomUUID(), lane, "bench.noop", 3, ids, null);
  }

  @Benchmark
  @OperationsPerInvocation(SIZE)
  public byte[] encode() {
    return EntryCodec.encode(batch);
  }

  @Benchmark
  @OperationsPerInvocation(SIZE)
  public Batch decode() {
    return Objects.requireNonNull(EntryCodec.decode(entry, 3, lane));
  }
}
