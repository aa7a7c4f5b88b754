package dev.millpond.bench.scenario;

import dev.millpond.bench.scenario.Load.Shape;
import dev.millpond.bench.scenario.RawCeiling.Part;
import dev.millpond.bench.servers.Pause;
import dev.millpond.bench.servers.Reading;
import dev.millpond.bench.servers.Usage;
import java.sql.SQLException;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/**
 * Producers at full speed, with or without a worker.
 *
 * @param worker whether the jobs are run as well; then the rate is that of completions
 */
record Flow(String name, String label, Shape shape, boolean worker, Extent extent)
    implements Scenario {
  @Override
  public Result run(Stage stage) throws SQLException, InterruptedException {
    try (Bed bed = Bed.open(stage)) {
      if (worker) {
        bed.startWorker();
      }
      Load load = new Load(bed, shape, worker);
      load.start();
      Pause.millis(stage.budget().warmMillis());
      load.ackMicros().reset();
      Reading before = bed.meter().read();
      long jobsBefore = bed.progress();
      Pause.until(before.nanos() + stage.budget().millis() * 1_000_000);
      Usage usage = bed.meter().read().since(before);
      long jobs = bed.progress() - jobsBefore;
      Histogram micros = load.ackMicros().copy();
      load.stop();
      return stage.result(this, new Measured(jobs, usage, micros, ceiling(stage)), bed.finish());
    }
  }

  private @Nullable Ceiling ceiling(Stage stage) {
    return stage.ceiling(
        worker ? Part.INSERT_AND_COMPLETE : Part.INSERT,
        shape instanceof Shape.OneByOne ? Stage.SMALL_FLUSH : Stage.LARGE_FLUSH);
  }
}
