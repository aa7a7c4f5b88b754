package dev.millpond.bench.http;

import dev.millpond.bench.http.HttpShape.Form;
import dev.millpond.bench.scenario.Ended;
import dev.millpond.bench.scenario.Extent;
import dev.millpond.bench.scenario.Measured;
import dev.millpond.bench.scenario.Result;
import dev.millpond.bench.scenario.Scenario;
import dev.millpond.bench.scenario.Stage;
import dev.millpond.bench.servers.Pause;
import dev.millpond.bench.servers.Reading;
import dev.millpond.bench.servers.Usage;
import java.io.IOException;
import java.sql.SQLException;

/** A server with all roles and a handler, that has run some jobs and now has nothing to do. */
record Idle() implements Scenario {
  /** Compilers and caches come to rest, and the roles notice that there is nothing. */
  private static final long REST_MILLIS = 30_000;

  /** CPU is counted in ticks of 10 ms; a hundredth of a core is one a second. */
  private static final long MEASURED_MILLIS = 20_000;

  private static final HttpShape SOME_JOBS = new HttpShape(Form.LIST, 100, 1);

  @Override
  public String name() {
    return "idle";
  }

  @Override
  public String label() {
    return "server, all roles";
  }

  @Override
  public Extent extent() {
    return Extent.LONG;
  }

  @Override
  public Result run(Stage stage) throws SQLException, InterruptedException, IOException {
    try (HttpBed bed = HttpBed.works(stage)) {
      long acknowledged;
      try (HttpLoad load = new HttpLoad(bed.url(), SOME_JOBS, bed.headers())) {
        load.start();
        Pause.millis(stage.budget().warmMillis());
        load.stop();
        acknowledged = load.acknowledged();
      }
      Pause.millis(REST_MILLIS);
      Reading before = bed.meter().read();
      Pause.until(before.nanos() + MEASURED_MILLIS * 1_000_000);
      Usage usage = bed.meter().read().since(before);
      Ended ended = bed.finish(acknowledged);
      return stage.idle(this, Measured.nothing(usage), ended);
    }
  }
}
