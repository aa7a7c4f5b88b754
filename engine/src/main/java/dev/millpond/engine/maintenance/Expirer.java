package dev.millpond.engine.maintenance;

import dev.millpond.engine.maintenance.store.ExpiryStore;
import dev.millpond.engine.maintenance.store.ExpiryStore.Page;
import dev.millpond.engine.metrics.EngineMetrics;
import dev.millpond.engine.metrics.EngineMetrics.Step;
import java.time.Duration;
import java.util.List;
import java.util.UUID;

/**
 * Ends jobs that were not to start after a time and that nobody has taken: scheduled ones, and
 * runnable ones that wait in PostgreSQL (rule R10). What is on a stream or with a worker is left to
 * that worker, which does not start it either.
 */
final class Expirer {
  /**
   * Bounds of one look.
   *
   * @param page jobs of one transaction
   * @param pages transactions
   * @param again when a job that a worker may have is looked at again
   * @param sweep rows that are compared with their jobs, to find those that have ended
   */
  record Config(int page, int pages, Duration again, int sweep) {
    static final Config DEFAULT = new Config(2_000, 20, Duration.ofSeconds(10), 2_000);
  }

  /**
   * What one look did.
   *
   * @param expired jobs ended
   * @param left jobs that a worker may have
   * @param swept rows of jobs that have ended otherwise
   */
  record Result(int expired, int left, int swept) {}

  private static final UUID LOWEST = new UUID(0, 0);

  private final Leadership leadership;
  private final EngineMetrics metrics;
  private final Config config;
  private UUID sweptTo = LOWEST;

  Expirer(Leadership leadership, EngineMetrics metrics, Config config) {
    this.leadership = leadership;
    this.metrics = metrics;
    this.config = config;
  }

  /** Looks once. */
  Result runOnce() {
    int expired = 0;
    int left = 0;
    for (int i = 0; i < config.pages(); i++) {
      Page page = leadership.call(tx -> ExpiryStore.expire(tx, config.page(), config.again()));
      expired += page.ended().size();
      left += page.left();
      page.ended().forEach(job -> metrics.count(Step.CANCELLED, job.lane(), job.kind(), 1));
      if (page.due() < config.page()) {
        break;
      }
    }
    return new Result(expired, left, sweep());
  }

  /** Compares the next rows with their jobs, in a circle over all of them. */
  private int sweep() {
    UUID from = sweptTo;
    return leadership.call(tx -> {
      List<UUID> page = ExpiryStore.page(tx, from, config.sweep());
      sweptTo = page.size() < config.sweep() ? LOWEST : page.getLast();
      return ExpiryStore.sweep(tx, page);
    });
  }
}
