package dev.millpond.bench;

import dev.millpond.bench.Load.Shape;
import dev.millpond.bench.RawCeiling.Part;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/** Something to measure on a {@link Bed}. */
sealed interface Scenario {
  /** How many producers submit lists, and how many calls each has in flight. */
  int PRODUCERS = 2;

  int IN_FLIGHT = 4;

  /** Rows of a flush that callers one by one lead to: what their ceiling is measured with. */
  int SMALL_FLUSH = 130;

  int LARGE_FLUSH = 1_000;

  /** What is measured, in a word. */
  String name();

  /** What is special in it, for the table. */
  String label();

  /** Its name and label; the start of it chooses it. */
  default String title() {
    return name() + " " + label();
  }

  /** The bare statements that its rate is compared with; null for none. */
  @Nullable Ceiling ceiling();

  /** Measures on a fresh bed. */
  Measured run(Bed bed, Budget budget) throws SQLException, InterruptedException;

  /** Which of the bare figures. */
  record Ceiling(Part part, int rows) {}

  /**
   * How long to take.
   *
   * @param warmMillis before each measurement, on its own connections
   * @param millis of each measurement
   * @param drainJobs of the drain
   */
  record Budget(long warmMillis, long millis, int drainJobs) {}

  /**
   * What came out.
   *
   * @param jobs within the measured time
   * @param micros latencies within the measured time; null where they mean nothing
   */
  record Measured(long jobs, Usage usage, @Nullable Histogram micros) {}

  /** All scenarios, in the order they run. */
  static List<Scenario> all() {
    List<Scenario> all = new ArrayList<>();
    for (int callers : new int[] {16, 64, 256}) {
      all.add(new Flow("submit", callers + " callers", new Shape.OneByOne(callers), false));
    }
    for (int size : new int[] {100, 1_000}) {
      all.add(new Flow("submit", "lists of " + size, lists(size), false));
    }
    for (int callers : new int[] {64, 256}) {
      all.add(new Flow("end-to-end", callers + " callers", new Shape.OneByOne(callers), true));
    }
    for (int size : new int[] {100, 1_000}) {
      all.add(new Flow("end-to-end", "lists of " + size, lists(size), true));
    }
    all.add(new Drain());
    all.add(new Latency(100));
    all.add(new Latency(1_000));
    return all;
  }

  private static Shape lists(int size) {
    return new Shape.Lists(size, PRODUCERS, IN_FLIGHT);
  }

  /**
   * Producers at full speed, with or without a worker.
   *
   * @param worker whether the jobs are run as well; then the rate is that of completions
   */
  record Flow(String name, String label, Shape shape, boolean worker) implements Scenario {
    @Override
    public Ceiling ceiling() {
      int rows = shape instanceof Shape.OneByOne ? SMALL_FLUSH : LARGE_FLUSH;
      return new Ceiling(worker ? Part.INSERT_AND_COMPLETE : Part.INSERT, rows);
    }

    @Override
    public Measured run(Bed bed, Budget budget) throws SQLException, InterruptedException {
      if (worker) {
        bed.startWorker();
      }
      Load load = new Load(bed, shape, worker);
      load.start();
      Pause.millis(budget.warmMillis());
      load.ackMicros().reset();
      Usage before = bed.usage();
      long jobsBefore = bed.progress();
      Pause.until(before.nanos() + budget.millis() * 1_000_000);
      Usage usage = bed.usage().since(before);
      long jobs = bed.progress() - jobsBefore;
      Histogram micros = load.ackMicros().copy();
      load.stop();
      return new Measured(jobs, usage, micros);
    }
  }

  /** A backlog is there; then a worker starts. From its start to the last completion. */
  record Drain() implements Scenario {
    @Override
    public String name() {
      return "drain";
    }

    @Override
    public String label() {
      return "backlog, then a worker";
    }

    @Override
    public Ceiling ceiling() {
      return new Ceiling(Part.INSERT_AND_COMPLETE, LARGE_FLUSH);
    }

    @Override
    public Measured run(Bed bed, Budget budget) throws SQLException {
      for (int sent = 0; sent < budget.drainJobs(); sent += LARGE_FLUSH) {
        bed.acknowledge(
            bed.millpond().submit(bed.requests(Math.min(LARGE_FLUSH, budget.drainJobs() - sent))));
      }
      Usage before = bed.usage();
      bed.startWorker();
      bed.awaitCompleted();
      return new Measured(bed.completed(), bed.usage().since(before), null);
    }
  }

  /** A steady trickle; from the submit call to the handler. */
  record Latency(int perSecond) implements Scenario {
    @Override
    public String name() {
      return "latency";
    }

    @Override
    public String label() {
      return "submit to start, " + perSecond + "/s";
    }

    @Override
    public @Nullable Ceiling ceiling() {
      return null;
    }

    @Override
    public Measured run(Bed bed, Budget budget) throws SQLException {
      bed.startWorker();
      List<CompletableFuture<?>> calls = new ArrayList<>();
      trickle(bed, budget.warmMillis(), calls);
      bed.awaitCompleted();
      bed.startMicros().reset();
      Usage before = bed.usage();
      long jobsBefore = bed.completed();
      trickle(bed, budget.millis(), calls);
      Usage usage = bed.usage().since(before);
      bed.awaitCompleted();
      return new Measured(bed.completed() - jobsBefore, usage, bed.startMicros().copy());
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
}
