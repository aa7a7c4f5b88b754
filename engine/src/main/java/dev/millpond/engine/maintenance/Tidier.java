package dev.millpond.engine.maintenance;

import dev.millpond.engine.maintenance.store.TidyStore;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Removes what is of no use any more: markers of old flushes, expired keys, states of ended jobs,
 * results whose time is over.
 */
final class Tidier {
  /**
   * How much one look removes at most.
   *
   * @param limit rows of each sort in one step, which is a transaction
   */
  record Config(int limit, int steps) {
    static final Config DEFAULT = new Config(5_000, 20);
  }

  /** Rows removed by what they were. */
  record Result(Map<String, Integer> removed) {}

  private final Leadership leadership;
  private final Config config;

  Tidier(Leadership leadership, Config config) {
    this.leadership = leadership;
    this.config = config;
  }

  /** Takes further steps while there is more of something than one step removes. */
  Result runOnce() {
    Map<String, Integer> removed = new LinkedHashMap<>();
    for (int step = 0; step < config.steps(); step++) {
      Map<String, Integer> now = leadership.call(tx -> TidyStore.tidy(tx, config.limit()));
      now.forEach((what, rows) -> removed.merge(what, rows, Integer::sum));
      if (now.values().stream().allMatch(rows -> rows < config.limit())) {
        break;
      }
    }
    return new Result(removed);
  }
}
