package dev.millpond.bench.scenario;

import dev.millpond.bench.scenario.Load.Shape;
import dev.millpond.bench.servers.Pause;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/** The scenarios of this package. */
public final class Catalogue {
  /** How many producers submit lists, and how many calls each has in flight. */
  private static final int PRODUCERS = 2;

  private static final int IN_FLIGHT = 4;

  private Catalogue() {}

  /** All of them, in the order they run. */
  public static List<Scenario> scenarios() {
    List<Scenario> all = new ArrayList<>();
    for (int callers : new int[] {16, 64, 256}) {
      all.add(flow("submit", callers + " callers", new Shape.OneByOne(callers), false));
    }
    for (int size : new int[] {100, 1_000}) {
      all.add(flow("submit", "lists of " + size, lists(size), false));
    }
    for (int callers : new int[] {64, 256}) {
      all.add(flow("end-to-end", callers + " callers", new Shape.OneByOne(callers), true));
    }
    for (int size : new int[] {100, 1_000}) {
      all.add(flow("end-to-end", "lists of " + size, lists(size), true));
    }
    all.add(new Drain());
    all.add(new Latency(100, Extent.QUICK));
    all.add(new Latency(1_000, Extent.QUICK));
    return all;
  }

  private static Flow flow(String name, String label, Shape shape, boolean worker) {
    return new Flow(name, label, shape, worker, Extent.QUICK);
  }

  static Shape lists(int size) {
    return new Shape.Lists(size, PRODUCERS, IN_FLIGHT);
  }

  /** Loads that bring every path before the compiler; run once a mode, for so long in all. */
  public static void warmUp(Stage stage, long millis) throws SQLException, InterruptedException {
    for (Shape shape : List.of(lists(Stage.LARGE_FLUSH), new Shape.OneByOne(256))) {
      try (Bed bed = Bed.open(stage)) {
        bed.startWorker();
        Load load = new Load(bed, shape, true);
        load.start();
        Pause.millis(millis / 2);
        load.stop();
        bed.awaitCompleted();
      }
    }
  }
}
