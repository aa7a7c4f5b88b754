package dev.millpond.bench.scenario;

import dev.millpond.bench.servers.Pause;
import dev.millpond.bench.servers.Reading;
import dev.millpond.bench.servers.Usage;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/**
 * A steady trickle; from the submit call to the handler.
 *
 * @param warmTimes how much longer than others it warms up
 */
record Latency(String name, String label, int perSecond, Setup setup, int warmTimes, Extent extent)
    implements Scenario {
  static final String TIMED = "submit to start";

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
      trickle(bed, stage.budget().millis(), calls);
      Usage usage = bed.meter().read().since(before);
      bed.awaitCompleted();
      long jobs = bed.completed() - jobsBefore;
      return stage.result(
          this, new Measured(jobs, usage, bed.startMicros().copy(), null), bed.finish());
    }
  }

  private void trickle(Bed bed, long millis, List<CompletableFuture<?>> calls) {
    long step = 1_000_000_000L / perSecond;
    long began = System.nanoTime();
    long count = Math.max(1, millis * 1_000_000 / step);
    for (long i = 0; i < count; i++) {
      Pause.until(began + i * step);
      calls.add(
          bed.millpond()
              .submitAsync(bed.request())
              .thenAccept(result -> bed.acknowledge(List.of(result))));
    }
    try {
      calls.forEach(CompletableFuture::join);
    } catch (CompletionException e) {
      throw new IllegalStateException("a submit failed", e);
    }
    calls.clear();
  }
}
