package dev.millpond.engine.maintenance;

import dev.millpond.engine.lifecycle.store.DatabaseException;
import dev.millpond.engine.lifecycle.store.Pg;
import dev.millpond.engine.maintenance.store.TidyStore;

/** Makes partitions before their day comes: an id without one lands in the default partition. */
final class PartitionKeeper {
  /**
   * Days around today, UTC.
   *
   * @param behind for ids of clocks that are late
   * @param ahead for a maintenance that is away for a while
   */
  record Config(int behind, int ahead) {
    static final Config DEFAULT = new Config(1, 3);
  }

  /**
   * What one look did.
   *
   * @param days that were new
   * @param locked whether a transaction held the default partitions; there is time to try again
   */
  record Result(int days, boolean locked) {}

  private final Leadership leadership;
  private final Config config;

  PartitionKeeper(Leadership leadership, Config config) {
    this.leadership = leadership;
    this.config = config;
  }

  Result runOnce() {
    try {
      int days =
          leadership.call(tx -> TidyStore.ensurePartitions(tx, config.behind(), config.ahead()));
      return new Result(days, false);
    } catch (DatabaseException e) {
      if (e.fault() == Pg.Fault.LOCK) {
        return new Result(0, true);
      }
      throw e;
    }
  }
}
