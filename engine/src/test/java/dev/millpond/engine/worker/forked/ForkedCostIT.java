package dev.millpond.engine.worker.forked;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.api.HandlerOptions;
import dev.millpond.engine.ForkedConfig;
import dev.millpond.engine.JobLimits;
import java.time.Duration;
import java.util.Arrays;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * What a child costs: its start, and a job in one that is warm. {@code
 * -Dmillpond.forked.jobs=20000} for the figures of docs/forked-executor.md.
 */
class ForkedCostIT {
  private static final int JOBS = Integer.getInteger("millpond.forked.jobs", 200);
  private static final int STARTS = Math.max(2, JOBS / 1_000);

  /** An attempt that nothing happens to. */
  private record Plain(UUID jobId) implements ForkedJob {
    @Override
    public int attempt() {
      return 1;
    }

    @Override
    public String kind() {
      return ChildHandlersModule.KIND;
    }

    @Override
    public String queue() {
      return "default";
    }

    @Override
    public String module() {
      return ChildHandlersModule.class.getName();
    }

    @Override
    public String payload() {
      return "{\"what\":\"pid\",\"file\":null}";
    }

    @Override
    public Duration untilSoftTimeout() {
      return HandlerOptions.DEFAULT.softTimeout();
    }

    @Override
    public Duration untilHardTimeout() {
      return HandlerOptions.DEFAULT.hardTimeout();
    }

    @Override
    public @Nullable String traceparent() {
      return null;
    }

    @Override
    public boolean keepResult() {
      return true;
    }

    @Override
    public void log(String line) {
      throw new AssertionError(line);
    }

    @Override
    public void progress(int percent, @Nullable String message) {
      throw new AssertionError(percent);
    }

    @Override
    public void tell(@Nullable StopListener listener) {
      // Nobody stops it.
    }
  }

  private static ForkedExecutor executor(int jobs) {
    ForkedExecutor executor =
        new ForkedExecutor(
            ForkedConfig.DEFAULT.withLife(new ForkedConfig.Life(0, jobs, Duration.ofHours(1))),
            JobLimits.DEFAULT,
            () -> false);
    Set<Class<?>> modules = Set.of(ChildHandlersModule.class);
    executor.start(modules, modules);
    return executor;
  }

  private static double[] micros(ForkedExecutor executor, int jobs) throws Exception {
    double[] micros = new double[jobs];
    for (int i = 0; i < jobs; i++) {
      long begin = System.nanoTime();
      executor.run(new Plain(UUID.randomUUID()));
      micros[i] = (System.nanoTime() - begin) / 1_000.0;
    }
    Arrays.sort(micros);
    return micros;
  }

  @Test
  void aWarmChildRunsAJobInAFractionOfItsStart() throws Exception {
    double[] cold;
    try (ForkedExecutor executor = executor(1)) {
      cold = micros(executor, STARTS);
      assertThat(executor.started()).isEqualTo(STARTS);
    }
    try (ForkedExecutor executor = executor(JOBS + 1)) {
      micros(executor, Math.max(1, JOBS / 10));
      int runs = JOBS / 2;
      double[] warm = micros(executor, runs);
      assertThat(executor.started()).isEqualTo(1);
      System.out.printf(
          "job in a new child: p50 %.0f ms, p99 %.0f ms of %d; in a warm one: p50 %.0f us, p99 %.0f"
              + " us of %d%n",
          cold[STARTS / 2] / 1_000,
          cold[(int) (STARTS * 0.99)] / 1_000,
          STARTS,
          warm[runs / 2],
          warm[(int) (runs * 0.99)],
          runs);
      assertThat(warm[runs / 2]).isLessThan(cold[0]);
    }
  }
}
