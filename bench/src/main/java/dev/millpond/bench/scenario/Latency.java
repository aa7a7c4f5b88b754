package dev.millpond.bench.scenario;

import dev.millpond.bench.servers.Pause;
import dev.millpond.bench.servers.Reading;
import dev.millpond.bench.servers.Usage;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/**
 * A steady trickle; from the moment a submit is due to the handler, so that a pause of the caller
 * counts for all submits that it delayed. A server in service has been compiled for hours: what is
 * measured is warmed up at a pace of {@value #BRISK} a second at least, then for a while at its
 * own.
 *
 * @param warmTimes how much longer than others it warms up
 */
record Latency(String name, String label, int perSecond, Setup setup, int warmTimes, Extent extent)
    implements Scenario {
  static final String TIMED = "submit to start";

  /** At 100 a second compilers would take minutes to see what is hot. */
  private static final int BRISK = 2_000;

  /** At its own pace, before it is measured at that. */
  private static final long SETTLE_MILLIS = 1_000;

  private static final int SETTLE_TIMES_MOST = 4;

  /** Of the time, by how much it may be too long. */
  private static final double LATE_MOST = 0.05;

  /** One pause of the machine is no rate that was missed. */
  private static final long LATE_LEAST_NANOS = 200_000_000;

  @Override
  public String timed() {
    return TIMED;
  }

  @Override
  public Result run(Stage stage) throws SQLException {
    try (Bed bed = Bed.open(stage, setup)) {
      bed.startWorker();
      List<CompletableFuture<?>> calls = new ArrayList<>();
      long warmMillis = stage.budget().warmMillis() * warmTimes;
      trickle(bed, Math.max(perSecond, BRISK), warmMillis, calls);
      bed.awaitCompleted();
      long settleMillis =
          Math.min(SETTLE_MILLIS * warmTimes, stage.budget().warmMillis() * SETTLE_TIMES_MOST);
      trickle(bed, perSecond, settleMillis, calls);
      bed.startMicros().reset();
      long millis =
          Math.max(stage.budget().millis(), stage.budget().paceJobs() * 1_000L / perSecond);
      Reading before = bed.meter().read();
      long jobsBefore = bed.completed();
      tellLate(bed, trickle(bed, perSecond, millis, calls), millis);
      Usage usage = bed.meter().read().since(before);
      long jobs = bed.completed() - jobsBefore; // some are on their way, as there were before
      bed.awaitCompleted(); // those that start late count most
      return stage.result(
          this, new Measured(jobs, usage, bed.startMicros().copy(), null), bed.finish());
    }
  }

  /** Submits; by how many nanoseconds it took longer than it should. */
  private static long trickle(
      Bed bed, int perSecond, long millis, List<CompletableFuture<?>> calls) {
    long step = 1_000_000_000L / perSecond;
    long began = System.nanoTime();
    long count = Math.max(1, millis * 1_000_000 / step);
    for (long i = 0; i < count; i++) {
      long due = began + i * step;
      Pause.until(due);
      calls.add(
          bed.millpond()
              .submitAsync(bed.request(due))
              .thenAccept(result -> bed.acknowledge(List.of(result))));
    }
    long late = System.nanoTime() - began - count * step;
    try {
      calls.forEach(CompletableFuture::join);
    } catch (CompletionException e) {
      throw new IllegalStateException("a submit failed", e);
    }
    calls.clear();
    return late;
  }

  private void tellLate(Bed bed, long late, long millis) {
    if (late > Math.max(LATE_LEAST_NANOS, LATE_MOST * millis * 1_000_000)) {
      bed.problem(
          String.format(
              Locale.ROOT,
              "%d submits a second for %d ms took %.0f ms longer",
              perSecond,
              millis,
              late / 1e6));
    }
  }
}
