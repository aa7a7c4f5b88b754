package dev.millpond.bench.micro;

import dev.millpond.api.JobRequest.RawJson;
import dev.millpond.api.Limits;
import dev.millpond.engine.submit.JobJson;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** A payload of 210 bytes at submit (an object, JSON as it came) and before its handler. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 3, time = 1)
@Fork(1)
public class PayloadMicro {
  @Benchmark
  public String write() {
    return JobJson.payload(Jobs.PAYLOAD, Limits.PAYLOAD_BYTES);
  }

  @Benchmark
  public String check() {
    return JobJson.payload(new RawJson(Jobs.JSON), Limits.PAYLOAD_BYTES);
  }

  @Benchmark
  public Jobs.Payload read() {
    return JobJson.read(Jobs.JSON, Jobs.Payload.class);
  }
}
