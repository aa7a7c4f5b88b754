package dev.millpond.bench.scenario;

import dev.millpond.bench.servers.Reading;
import java.sql.SQLException;

/** A backlog is there; then a worker starts. From its start to the last completion. */
record Drain() implements Scenario {
  @Override
  public String name() {
    return "drain";
  }

  @Override
  public String label() {
    return "of a backlog";
  }

  @Override
  public Extent extent() {
    return Extent.QUICK;
  }

  @Override
  public Result run(Stage stage) throws SQLException {
    int jobs = stage.budget().drainJobs();
    try (Bed bed = Bed.open(stage)) {
      for (int sent = 0; sent < jobs; sent += Stage.LARGE_FLUSH) {
        bed.acknowledge(
            bed.millpond().submit(bed.requests(Math.min(Stage.LARGE_FLUSH, jobs - sent))));
      }
      Reading before = bed.meter().read();
      bed.startWorker();
      bed.awaitCompleted();
      return stage.result(
          this,
          new Measured(
              bed.completed(),
              bed.meter().read().since(before),
              null,
              null), // the bare statements insert as well
          bed.finish());
    }
  }
}
