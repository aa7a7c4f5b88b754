package dev.millpond.bench.peer;

import dev.millpond.bench.scenario.Ended;
import dev.millpond.bench.scenario.Measured;
import dev.millpond.bench.scenario.Result;
import dev.millpond.bench.scenario.Stage;
import dev.millpond.bench.servers.Pause;
import dev.millpond.bench.servers.Reading;
import dev.millpond.bench.servers.Usage;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/**
 * What is measured of a peer, under the title of Millpond's scenario that asks the same. Where
 * peers need time to notice that there is work, the measured time begins when they have noticed.
 */
public sealed interface PeerScenario {
  /** How many lists are on their way at once, as in Millpond's scenarios. */
  int LISTS_IN_FLIGHT = 8;

  /** The name of Millpond's scenario. */
  String name();

  /** The label of Millpond's scenario. */
  String label();

  /** Its name and label. */
  default String title() {
    return name() + " " + label();
  }

  /** Measures once. */
  Result run(Stage stage, Peer peer) throws SQLException, InterruptedException;

  /** All of them, in the order they run. */
  static List<PeerScenario> all() {
    List<PeerScenario> all = new ArrayList<>();
    for (boolean worker : new boolean[] {false, true}) {
      String name = worker ? "end-to-end" : "submit";
      for (int callers : new int[] {64, 256}) {
        all.add(new Flow(name, callers + " callers", callers, 1, worker));
      }
      all.add(new Flow(name, "lists of 1000", LISTS_IN_FLIGHT, 1_000, worker));
    }
    all.add(new Drain());
    all.add(new Trickle(100));
    return all;
  }

  /** Loads that bring every path before the compiler, for so long in all. */
  static void warmUp(Stage stage, Peer peer, long millis)
      throws SQLException, InterruptedException {
    try (PeerBed bed = PeerBed.open(stage, peer)) {
      bed.startWorker();
      for (int listSize : new int[] {1_000, 1}) {
        int callers = listSize == 1 ? 256 : LISTS_IN_FLIGHT;
        try (PeerLoad load = new PeerLoad(bed, callers, listSize, true)) {
          load.start();
          bed.awaitFirstRun();
          Pause.millis(millis / 2);
          load.stop();
        }
      }
    }
  }

  private static Result result(
      PeerScenario scenario, Stage stage, Peer peer, Measured measured, Ended ended) {
    return stage.result(scenario.name(), scenario.label(), peer.name(), measured, ended);
  }

  /**
   * Callers at full speed, with or without a worker.
   *
   * @param worker whether the jobs are run as well; then the rate is that of completions
   */
  record Flow(String name, String label, int callers, int listSize, boolean worker)
      implements PeerScenario {
    @Override
    public Result run(Stage stage, Peer peer) throws SQLException, InterruptedException {
      try (PeerBed bed = PeerBed.open(stage, peer);
          PeerLoad load = new PeerLoad(bed, callers, listSize, worker)) {
        if (worker) {
          bed.startWorker();
        }
        load.start();
        if (worker) {
          bed.awaitFirstRun();
        }
        Pause.millis(stage.budget().warmMillis());
        load.ackMicros().reset();
        Reading before = bed.meter().read();
        long jobsBefore = bed.progress();
        Pause.until(before.nanos() + stage.budget().millis() * 1_000_000);
        Usage usage = bed.meter().read().since(before);
        long jobs = bed.progress() - jobsBefore;
        Histogram micros = load.ackMicros().copy();
        load.stop();
        return result(this, stage, peer, new Measured(jobs, usage, micros, null), bed.finish());
      }
    }
  }

  /** A backlog is there; then a worker starts. From its first job to the last completion. */
  record Drain() implements PeerScenario {
    /** Enough for some seconds at the rates that peers have. */
    private static final int JOBS_MAX = 30_000;

    @Override
    public String name() {
      return "drain";
    }

    @Override
    public String label() {
      return "of a backlog";
    }

    @Override
    public Result run(Stage stage, Peer peer) throws SQLException {
      int jobs = Math.min(JOBS_MAX, stage.budget().drainJobs());
      try (PeerBed bed = PeerBed.open(stage, peer)) {
        for (int sent = 0; sent < jobs; sent += Stage.LARGE_FLUSH) {
          bed.submitAll(Math.min(Stage.LARGE_FLUSH, jobs - sent));
        }
        bed.startWorker();
        bed.awaitFirstRun();
        Reading before = bed.meter().read();
        long jobsBefore = bed.completed();
        bed.awaitCompleted();
        Usage usage = bed.meter().read().since(before);
        long drained = bed.completed() - jobsBefore;
        return result(this, stage, peer, new Measured(drained, usage, null, null), bed.finish());
      }
    }
  }

  /** A steady trickle; from the moment a submit is due to the handler. */
  record Trickle(int perSecond) implements PeerScenario {
    /** At least two looks of a worker that looks every five seconds. */
    private static final long LEAST_MILLIS = 10_000;

    @Override
    public String name() {
      return "latency";
    }

    @Override
    public String label() {
      return "at " + perSecond + "/s";
    }

    @Override
    public Result run(Stage stage, Peer peer) throws SQLException, InterruptedException {
      try (PeerBed bed = PeerBed.open(stage, peer)) {
        bed.startWorker();
        trickle(bed, Math.max(500, stage.budget().warmMillis()));
        bed.awaitCompleted();
        bed.tally().startMicros().reset();
        Reading before = bed.meter().read();
        long jobsBefore = bed.completed();
        trickle(bed, Math.max(LEAST_MILLIS, stage.budget().millis()));
        Usage usage = bed.meter().read().since(before);
        bed.awaitCompleted();
        long jobs = bed.completed() - jobsBefore;
        Histogram micros = bed.tally().startMicros().copy();
        return result(this, stage, peer, new Measured(jobs, usage, micros, null), bed.finish());
      }
    }

    private void trickle(PeerBed bed, long millis) throws InterruptedException {
      long step = 1_000_000_000L / perSecond;
      long began = System.nanoTime();
      long count = Math.max(1, millis * 1_000_000 / step);
      List<Thread> calls = new ArrayList<>();
      AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
      for (long i = 0; i < count; i++) {
        long due = began + i * step;
        Pause.until(due);
        calls.add(
            Thread.ofVirtual()
                .start(() -> {
                  try {
                    bed.submit(due);
                  } catch (RuntimeException e) {
                    failure.compareAndSet(null, e);
                  }
                }));
      }
      for (Thread call : calls) {
        call.join();
      }
      Throwable thrown = failure.get();
      if (thrown != null) {
        throw new IllegalStateException("a submit failed", thrown);
      }
    }
  }
}
