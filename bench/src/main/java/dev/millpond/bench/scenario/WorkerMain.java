package dev.millpond.bench.scenario;

import dev.millpond.bench.servers.WorkerProcess;
import dev.millpond.engine.Millpond;
import dev.millpond.engine.MillpondConfig;
import dev.millpond.engine.admission.Watermarks;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * A worker process of the bench: see {@link WorkerProcess}. Its counts: completed, runs, failed.
 */
public final class WorkerMain {
  /** The engine's counter of jobs that succeeded. */
  static final String COMPLETED = "millpond.jobs.completed";

  private WorkerMain() {}

  /**
   * Works until its input ends.
   *
   * @param args URL of PostgreSQL, name of the {@link Work}, slots, then URLs of Redis
   */
  public static void main(String[] args) throws IOException {
    PrintStream out = System.out;
    Work work = Work.valueOf(args[1]);
    MillpondConfig config =
        MillpondConfig.of(args[0])
            .withSlots(Integer.parseInt(args[2]))
            .withWatermarks(Watermarks.NONE);
    List<String> redis = List.of(args).subList(3, args.length);
    Work.Tally tally = new Work.Tally();
    SimpleMeterRegistry registry = new SimpleMeterRegistry();
    Millpond millpond =
        Millpond.connect(redis.isEmpty() ? config : config.withRedis(redis), registry);
    work.register(millpond, tally);
    millpond.startWorker();
    out.println(WorkerProcess.ANSWER + "ready");
    BufferedReader in =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    while (in.readLine() != null) {
      out.println(counts(registry, tally));
    }
    millpond.close();
    out.println(counts(registry, tally));
  }

  private static String counts(SimpleMeterRegistry registry, Work.Tally tally) {
    return WorkerProcess.ANSWER + completed(registry) + " " + tally.runs() + " " + tally.failures();
  }

  /** Jobs whose outcome this process has committed. */
  static long completed(SimpleMeterRegistry registry) {
    return (long) registry.find(COMPLETED).counters().stream().mapToDouble(Counter::count).sum();
  }
}
