package dev.millpond.bench.scenario;

import dev.millpond.bench.scenario.RawCeiling.Part;
import dev.millpond.bench.scenario.Series.Point;
import dev.millpond.bench.servers.Pause;
import dev.millpond.bench.servers.Reading;
import dev.millpond.bench.servers.Usage;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Whether it gets slower while a forgotten transaction elsewhere holds its snapshot, so that no
 * dead row version can be removed: end to end in lists of 1000 for some time, with and without one.
 */
record Snapshot(boolean pinned) implements Scenario {
  /** Points of the series. */
  private static final int PARTS = 15;

  @Override
  public String name() {
    return "snapshot";
  }

  @Override
  public String label() {
    return pinned ? "pinned" : "not pinned";
  }

  @Override
  public Extent extent() {
    return Extent.LONG;
  }

  @Override
  public Bare bare() {
    return Bare.lists(Part.INSERT_AND_COMPLETE);
  }

  @Override
  public Result run(Stage stage) throws SQLException, InterruptedException {
    try (Bed bed = Bed.open(stage);
        Load load = new Load(bed, Catalogue.lists(Stage.LARGE_FLUSH), true)) {
      bed.startWorker();
      load.start();
      Pause.millis(stage.budget().warmMillis());
      Measured measured;
      Connection pin = pinned ? stage.database().pinSnapshot() : null;
      try {
        measured = measure(stage, bed, load);
        load.stop();
        bed.awaitCompleted();
      } finally {
        close(pin);
      }
      return stage.result(this, measured, bed.finish());
    }
  }

  private static void close(@Nullable Connection pin) throws SQLException {
    if (pin != null) {
      pin.close();
    }
  }

  private Measured measure(Stage stage, Bed bed, Load load) throws SQLException {
    load.ackMicros().reset();
    long step = stage.budget().longMillis() * 1_000_000 / PARTS;
    List<Point> rates = new ArrayList<>();
    List<Point> dead = new ArrayList<>();
    Reading before = bed.meter().read();
    long jobsBefore = bed.completed();
    long jobsThen = jobsBefore;
    long then = before.nanos();
    for (int part = 1; part <= PARTS; part++) {
      Pause.until(before.nanos() + part * step);
      long now = System.nanoTime();
      long jobsNow = bed.completed();
      double seconds = (now - before.nanos()) / 1e9;
      rates.add(new Point(seconds, (jobsNow - jobsThen) / ((now - then) / 1e9)));
      dead.add(new Point(seconds, stage.database().deadTuplesNow()));
      then = now;
      jobsThen = jobsNow;
    }
    Usage usage = bed.meter().read().since(before);
    return new Measured(
        bed.completed() - jobsBefore,
        usage,
        load.ackMicros().copy(),
        stage.ceiling(this),
        List.of(
            new Series("jobs/s", "seconds", rates), new Series("dead tuples", "seconds", dead)));
  }
}
