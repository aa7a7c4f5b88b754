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

  /** Slots of a worker whose jobs mostly wait. */
  private static final int MANY_SLOTS = 1_000;

  /** Bytes of a payload beside its text. */
  private static final int BRACES = 35;

  /** Of a list of large payloads: the writer bounds what may be on its way in bytes, too. */
  private static final int LIST_BYTES = 1 << 20;

  private Catalogue() {}

  /** All of them, in the order they run. */
  public static List<Scenario> scenarios() {
    List<Scenario> all = new ArrayList<>();
    submit(all);
    endToEnd(all);
    all.add(new Drain());
    latency(all);
    all.add(
        new Flow(
            "retries",
            "5 % of attempts",
            lists(1_000),
            true,
            Setup.USUAL.withWork(Work.FLAKY, Setup.USUAL.slots()),
            Extent.USUAL));
    for (int bytes : new int[] {200, 4 << 10, 64 << 10}) {
      String size = bytes < 1_024 ? bytes + " B" : (bytes >> 10) + " KB";
      Setup setup = bytes < 1_024 ? Setup.USUAL : Setup.USUAL.withTextChars(bytes - BRACES);
      Shape lists = lists(Math.min(100, LIST_BYTES / bytes));
      all.add(new Flow("payload", size, lists, true, setup, Extent.LONG));
    }
    for (int processes : new int[] {1, 2, 4}) {
      Setup setup = Setup.USUAL.withWorkers(processes);
      String label = processes == 1 ? "1 process" : processes + " processes";
      all.add(new Flow("workers", label, lists(1_000), true, setup, Extent.LONG));
    }
    for (int servers : new int[] {1, 2, 4}) {
      Setup setup = Setup.USUAL.withRedisServers(servers).withWorkers(1);
      String label = servers == 1 ? "1 Redis server" : servers + " Redis servers";
      all.add(new Flow(Flow.SHARDS, label, lists(1_000), true, setup, Extent.LONG));
    }
    all.add(new Snapshot(false));
    all.add(new Snapshot(true));
    for (int waiting : new int[] {0, 1_000, 10_000, 100_000, 1_000_000, 5_000_000}) {
      all.add(new Backlog(waiting, false));
    }
    all.add(new Backlog(1_000_000, true));
    all.add(new Backlog(5_000_000, true));
    return all;
  }

  private static void submit(List<Scenario> all) {
    for (int callers : new int[] {16, 64, 256, 1_000}) {
      all.add(
          new Flow(
              "submit",
              callers + " callers",
              new Shape.OneByOne(callers),
              false,
              Setup.USUAL,
              Extent.USUAL));
    }
    for (int size : new int[] {100, 1_000}) {
      all.add(
          new Flow(
              "submit",
              "lists of " + size,
              lists(size),
              false,
              Setup.USUAL,
              size == 1_000 ? Extent.QUICK : Extent.USUAL));
    }
  }

  private static void endToEnd(List<Scenario> all) {
    for (int callers : new int[] {64, 256, 1_000}) {
      all.add(
          new Flow(
              "end-to-end",
              callers + " callers",
              new Shape.OneByOne(callers),
              true,
              Setup.USUAL,
              callers == 256 ? Extent.QUICK : Extent.USUAL));
    }
    for (int size : new int[] {100, 1_000}) {
      all.add(
          new Flow(
              "end-to-end",
              "lists of " + size,
              lists(size),
              true,
              Setup.USUAL,
              size == 1_000 ? Extent.QUICK : Extent.USUAL));
    }
  }

  private static void latency(List<Scenario> all) {
    for (int perSecond : new int[] {100, 1_000, 10_000}) {
      all.add(
          new Latency(
              "latency",
              "at " + perSecond + "/s",
              perSecond,
              Setup.USUAL,
              1,
              perSecond == 100 ? Extent.QUICK : Extent.USUAL));
    }
    all.add(
        new Latency(
            "mixed",
            "1 ms to 2 s at 1000/s",
            1_000,
            Setup.USUAL.withWork(Work.MIXED, MANY_SLOTS),
            2,
            Extent.USUAL));
  }

  static Shape lists(int size) {
    return new Shape.Lists(size, PRODUCERS, IN_FLIGHT);
  }

  /** Loads that bring every path before the compiler; run once a mode, for so long in all. */
  public static void warmUp(Stage stage, long millis) throws SQLException, InterruptedException {
    try (Bed bed = Bed.open(stage)) {
      bed.startWorker();
      for (Shape shape : List.of(lists(Stage.LARGE_FLUSH), new Shape.OneByOne(256))) {
        try (Load load = new Load(bed, shape, true)) {
          load.start();
          Pause.millis(millis / 2);
          load.stop();
          bed.awaitCompleted();
        }
      }
    }
  }
}
