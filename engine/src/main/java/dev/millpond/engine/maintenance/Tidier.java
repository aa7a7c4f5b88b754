package dev.millpond.engine.maintenance;

import dev.millpond.engine.RetentionConfig;
import dev.millpond.engine.maintenance.store.TidyStore;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Removes what is of no use any more: markers of old flushes, expired keys, states of ended jobs,
 * results whose time is over, old entries of the audit.
 */
final class Tidier {
  /**
   * How much one look removes at most.
   *
   * @param limit rows of each sort in one step, which is a transaction
   * @param audit how long entries of the audit are kept, and keys that have ended
   */
  record Config(int limit, int steps, Duration audit) {
    static final Config DEFAULT = new Config(5_000, 20);

    Config(int limit, int steps) {
      this(limit, steps, RetentionConfig.DEFAULT.audit());
    }

    static Config of(RetentionConfig retention) {
      return new Config(DEFAULT.limit, DEFAULT.steps, retention.audit());
    }
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
      Map<String, Integer> now =
          leadership.call(tx -> TidyStore.tidy(tx, config.limit(), config.audit()));
      now.forEach((what, rows) -> removed.merge(what, rows, Integer::sum));
      if (now.values().stream().allMatch(rows -> rows < config.limit())) {
        break;
      }
    }
    return new Result(removed);
  }
}
