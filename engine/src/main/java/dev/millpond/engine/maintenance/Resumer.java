package dev.millpond.engine.maintenance;

import dev.millpond.engine.dispatch.BatchMaker;
import dev.millpond.engine.dispatch.KindPace;
import dev.millpond.engine.maintenance.RoleLoop.Wait;
import dev.millpond.engine.maintenance.store.NewRows;
import dev.millpond.engine.maintenance.store.RescueStore.Lost;
import dev.millpond.engine.maintenance.store.ResumeStore;
import java.time.Duration;
import java.util.List;
import java.util.function.LongSupplier;

/**
 * Makes jobs runnable again that wait for a tag which is not paused any more. Same token: nobody
 * else can hold them, and no attempt was begun.
 *
 * <p>It looks when the settings have changed and for a while after, since a worker that follows
 * them late may yet put a job aside; otherwise, and while its process does not lead, hardly ever.
 */
final class Resumer {
  /**
   * When it looks.
   *
   * @param page jobs of one transaction
   * @param soon between looks for {@code late} after a change
   * @param late how long after a change a worker may still go by what was before
   * @param seldom between looks otherwise, should it have missed anything
   */
  record Config(int page, Duration soon, Duration late, Duration seldom) {
    static final Config DEFAULT =
        new Config(500, Duration.ofSeconds(1), Duration.ofSeconds(20), Duration.ofMinutes(1));
  }

  /** What one look did. */
  record Result(int resumed) {}

  private final Leadership leadership;
  private final BatchMaker maker;
  private final KindPace pace;
  private final LongSupplier version;
  private final Config config;
  private final Runnable fed;
  private long seenVersion = -1;
  private long lateUntilNanos;

  /**
   * @param version of the settings as this process knows them
   * @param fed told when there are new waiting rows
   */
  Resumer(
      Leadership leadership,
      BatchMaker maker,
      KindPace pace,
      LongSupplier version,
      Config config,
      Runnable fed) {
    this.leadership = leadership;
    this.maker = maker;
    this.pace = pace;
    this.version = version;
    this.config = config;
    this.fed = fed;
  }

  /** Looks once; when to look again unless the settings change before. */
  Wait turn() {
    long now = version.getAsLong();
    if (now != seenVersion) {
      lateUntilNanos = System.nanoTime() + config.late().toNanos();
    }
    Result result = runOnce();
    seenVersion = now; // not before: a look that failed is repeated
    boolean soon = result.resumed() > 0 || System.nanoTime() - lateUntilNanos < 0;
    return Wait.rest(soon ? config.soon() : config.seldom());
  }

  /** Resumes everything that may run, page by page. */
  Result runOnce() {
    int resumed = 0;
    for (String tag : leadership.call(ResumeStore::freeTags)) {
      int page;
      do {
        page =
            leadership.call(tx -> {
              List<Lost> jobs = ResumeStore.resume(tx, tag, config.page());
              NewRows.write(tx, jobs, maker, pace);
              return jobs.size();
            });
        resumed += page;
        if (page > 0) {
          fed.run();
        }
      } while (page == config.page());
    }
    return new Result(resumed);
  }
}
