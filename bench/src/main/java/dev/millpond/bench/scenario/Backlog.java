package dev.millpond.bench.scenario;

import dev.millpond.bench.scenario.RawCeiling.Part;
import dev.millpond.bench.scenario.Series.Point;
import dev.millpond.bench.servers.Pause;
import dev.millpond.bench.servers.Reading;
import dev.millpond.bench.servers.Usage;
import java.sql.SQLException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.CompletableFuture;

/**
 * Whether it gets slower when much is waiting: first jobs pile up whose kind no worker knows, or
 * that are scheduled for tomorrow, with the rate of their submits as a series; then others go end
 * to end, in lists of 1000.
 */
record Backlog(int waiting, boolean scheduled) implements Scenario {
  private static final int IN_FLIGHT = 8;

  private static final int UNKNOWN_STREAMED_MOST = 10_000;

  /** Points of the series. */
  private static final int PARTS = 20;

  @Override
  public String name() {
    return "backlog";
  }

  @Override
  public String label() {
    return (waiting >= 1_000_000
            ? waiting / 1_000_000 + "M"
            : waiting >= 1_000 ? waiting / 1_000 + "k" : String.valueOf(waiting))
        + (scheduled ? " scheduled" : " waiting");
  }

  /**
   * Workers of the streams claim a batch before they see that they do not know its kind, and give
   * it back: with many of those it is this that would be measured.
   */
  @Override
  public Set<Mode> modes() {
    return scheduled || waiting <= UNKNOWN_STREAMED_MOST
        ? EnumSet.allOf(Mode.class)
        : EnumSet.of(Mode.POSTGRES);
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
      List<Point> submits = pileUp(stage, bed);
      bed.startWorker();
      load.start();
      Pause.millis(stage.budget().warmMillis());
      load.ackMicros().reset();
      Reading before = bed.meter().read();
      long jobsBefore = bed.completed();
      Pause.until(before.nanos() + stage.budget().millis() * 1_000_000);
      Usage usage = bed.meter().read().since(before);
      Measured measured =
          new Measured(
              bed.completed() - jobsBefore,
              usage,
              load.ackMicros().copy(),
              stage.ceiling(this),
              submits.isEmpty()
                  ? List.of()
                  : List.of(new Series("submits/s", "jobs waiting", submits)));
      load.stop();
      return stage.result(this, measured, bed.finish());
    }
  }

  private List<Point> pileUp(Stage stage, Bed bed) {
    List<Point> rates = new ArrayList<>();
    int part = Math.max(Stage.LARGE_FLUSH, waiting / PARTS);
    for (int sent = 0; sent < waiting; sent += part) {
      int jobs = Math.min(part, waiting - sent);
      long began = System.nanoTime();
      submit(bed, jobs);
      rates.add(new Point(sent + jobs, jobs / ((System.nanoTime() - began) / 1e9)));
      if (waiting >= 1_000_000) {
        stage
            .progress()
            .accept(
                String.format(
                    Locale.ROOT,
                    "  %,d waiting, %,.0f submits/s",
                    sent + jobs,
                    rates.getLast().y()));
      }
    }
    return rates;
  }

  private void submit(Bed bed, int jobs) {
    Deque<CompletableFuture<?>> flying = new ArrayDeque<>();
    for (int sent = 0; sent < jobs; sent += Stage.LARGE_FLUSH) {
      if (flying.size() >= IN_FLIGHT) {
        flying.remove().join();
      }
      flying.add(
          bed.millpond()
              .submitAsync(bed.parked(Math.min(Stage.LARGE_FLUSH, jobs - sent), scheduled))
              .thenAccept(results -> bed.acknowledgeParked(results, scheduled)));
    }
    flying.forEach(CompletableFuture::join);
  }
}
