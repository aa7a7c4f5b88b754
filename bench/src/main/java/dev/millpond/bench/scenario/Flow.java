package dev.millpond.bench.scenario;

import dev.millpond.bench.scenario.Load.Shape;
import dev.millpond.bench.scenario.RawCeiling.Part;
import dev.millpond.bench.servers.Pause;
import dev.millpond.bench.servers.Reading;
import dev.millpond.bench.servers.Usage;
import java.sql.SQLException;
import java.util.EnumSet;
import java.util.Set;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/**
 * Producers at full speed, with or without a worker.
 *
 * @param worker whether the jobs are run as well; then the rate is that of completions
 * @param setup of the bed; several Redis servers make it one of the streams only
 */
record Flow(String name, String label, Shape shape, boolean worker, Setup setup, Extent extent)
    implements Scenario {
  @Override
  public Set<Mode> modes() {
    return setup.redisServers() > 1 || name.equals(SHARDS)
        ? EnumSet.of(Mode.STREAMS)
        : EnumSet.allOf(Mode.class);
  }

  /** How much longer fresh worker processes are warmed up. */
  private static final int COLD_TIMES = 10;

  /** Their flushes are larger than those of any ceiling for callers. */
  private static final int MANY_CALLERS = 1_000;

  /** Those that need as many Redis servers as they say. */
  static final String SHARDS = "shards";

  @Override
  public int redisServers() {
    return setup.redisServers();
  }

  @Override
  public Result run(Stage stage) throws SQLException, InterruptedException {
    try (Bed bed = Bed.open(stage, setup);
        Load load = new Load(bed, shape, worker)) {
      if (worker) {
        bed.startWorker();
      }
      load.start();
      // A process that has just started has all of it yet to compile.
      Pause.millis(stage.budget().warmMillis() * (setup.workers() > 0 ? COLD_TIMES : 1));
      Measured measured = measure(stage, bed, load);
      load.stop();
      return stage.result(this, measured, bed.finish());
    }
  }

  /** Measures a load that runs. */
  private Measured measure(Stage stage, Bed bed, Load load) throws SQLException {
    load.ackMicros().reset();
    Reading before = bed.meter().read();
    long jobsBefore = bed.progress();
    Pause.until(before.nanos() + stage.budget().millis() * 1_000_000);
    Usage usage = bed.meter().read().since(before);
    long jobs = bed.progress() - jobsBefore;
    Histogram micros = load.ackMicros().copy();
    return new Measured(jobs, usage, micros, stage.ceiling(this));
  }

  @Override
  public @Nullable Bare bare() {
    if (setup.textChars() != Setup.USUAL.textChars()) {
      return null; // its rows are of the usual size
    }
    Part part = worker ? Part.INSERT_AND_COMPLETE : Part.INSERT;
    return switch (shape) {
      case Shape.Lists lists -> Bare.lists(part);
      case Shape.OneByOne one -> one.callers() >= MANY_CALLERS ? null : Bare.callers(part);
    };
  }
}
