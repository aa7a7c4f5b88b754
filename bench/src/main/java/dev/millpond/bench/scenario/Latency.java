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
 * counts for all submits that it delayed.
 *
 * @param warmTimes how much longer than others it warms up
 */
record Latency(String name, String label, int perSecond, Setup setup, int warmTimes, Extent extent)
    implements Scenario {
  static final String TIMED = "submit to start";

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
      trickle(bed, stage.budget().warmMillis() * warmTimes, calls);
      bed.awaitCompleted();
      bed.startMicros().reset();
      Reading before = bed.meter().read();
      long jobsBefore = bed.completed();
      tellLate(bed, trickle(bed, stage.budget().millis(), calls), stage.budget().millis());
      Usage usage = bed.meter().read().since(before);
      bed.awaitCompleted();
      long jobs = bed.completed() - jobsBefore;
      return stage.result(
          this, new Measured(jobs, usage, bed.startMicros().copy(), null), bed.finish());
    }
  }

  /** Submits; by how many nanoseconds it took longer than it should. */
  private long trickle(Bed bed, long millis, List<CompletableFuture<?>> calls) {
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
