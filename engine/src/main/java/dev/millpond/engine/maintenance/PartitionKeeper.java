package dev.millpond.engine.maintenance;

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

  /** Days that were new. */
  record Result(int days) {}

  private final Leadership leadership;
  private final Config config;

  PartitionKeeper(Leadership leadership, Config config) {
    this.leadership = leadership;
    this.config = config;
  }

  Result runOnce() {
    return new Result(
        leadership.call(tx -> TidyStore.ensurePartitions(tx, config.behind(), config.ahead())));
  }
}
