package dev.millpond.engine.maintenance;

import dev.millpond.engine.maintenance.store.TidyStore;
import java.util.Map;

/**
 * Removes what is of no use any more: markers of old flushes, expired keys, states of ended jobs.
 */
final class Tidier {
  /** Rows that one step removes at most. */
  record Config(int limit) {
    static final Config DEFAULT = new Config(5_000);
  }

  /** Rows removed by what they were. */
  record Result(Map<String, Integer> removed) {}

  private final Leadership leadership;
  private final Config config;

  Tidier(Leadership leadership, Config config) {
    this.leadership = leadership;
    this.config = config;
  }

  Result runOnce() {
    return new Result(leadership.call(tx -> TidyStore.tidy(tx, config.limit())));
  }
}
