package dev.millpond.engine.maintenance;

import dev.millpond.engine.dispatch.BatchMaker;
import dev.millpond.engine.dispatch.KindPace;
import dev.millpond.engine.maintenance.store.NewRows;
import dev.millpond.engine.maintenance.store.PromoteStore;
import dev.millpond.engine.maintenance.store.RescueStore.Lost;
import java.util.List;

/**
 * Makes scheduled jobs runnable when their time has come by the database's clock (rule R8): delayed
 * submits and retries. Same token: nobody else can hold them.
 */
final class Promoter {
  /** Jobs of one transaction. */
  record Config(int page) {
    static final Config DEFAULT = new Config(1_000);
  }

  /** What one look did. */
  record Result(int promoted) {}

  private final Leadership leadership;
  private final BatchMaker maker;
  private final KindPace pace;
  private final Config config;
  private final Runnable fed;

  /**
   * @param fed told when there are new waiting rows
   */
  Promoter(Leadership leadership, BatchMaker maker, KindPace pace, Config config, Runnable fed) {
    this.leadership = leadership;
    this.maker = maker;
    this.pace = pace;
    this.config = config;
    this.fed = fed;
  }

  /** Promotes everything that is due. */
  Result runOnce() {
    int promoted = 0;
    while (true) {
      int[] found = new int[1];
      promoted +=
          leadership.call(tx -> {
            List<Lost> due = PromoteStore.due(tx, config.page());
            found[0] = due.size();
            return NewRows.write(tx, due, maker, pace);
          });
      if (found[0] > 0) {
        fed.run(); // page by page: the first ones need not wait for the last
      }
      if (found[0] < config.page()) {
        return new Result(promoted);
      }
    }
  }
}
