package dev.millpond.engine.dispatch;

import dev.millpond.api.JobRequest;
import dev.millpond.engine.Database;
import dev.millpond.engine.Fleet;
import dev.millpond.engine.Fleet.Mode;
import dev.millpond.engine.Millpond;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

/**
 * A node without a worker knows how long jobs take: by that it decides how many travel together.
 */
class LearnedPaceIT {
  /** Of a kind that nobody has measured, four of them travel together; of one so slow, none. */
  private static final int TOGETHER = 64;

  private static final long RUN_NANOS = TimeUnit.MILLISECONDS.toNanos(30);

  private static final String LAST_BATCH =
      "SELECT coalesce((SELECT cardinality(job_ids) FROM millpond.dispatch ORDER BY id DESC LIMIT"
          + " 1), 0)";

  @Test
  void aNodeWithoutAWorkerGoesByWhatWorkersHaveMeasured() {
    try (Database database = Database.fresh()) {
      Fleet fleet = Fleet.on(database, Mode.POSTGRES);
      Millpond producer = fleet.producer();
      Millpond worker =
          fleet.worker(m ->
              m.registerHandler(
                  "slow",
                  Integer.class,
                  (context, payload) -> {
                    LockSupport.parkNanos(RUN_NANOS); // its run time is what is looked at
                    return null;
                  }));
      Fleet.submit(producer, JobRequest.of("slow", 1), 4);
      fleet.untilEnded(4);
      Fleet.until(
          "the worker has told",
          () ->
              database.number("SELECT count(*) FROM millpond.kind WHERE run_micros > 20000") == 1);
      fleet.leave(worker);
      AtomicInteger sent = new AtomicInteger(4);
      Fleet.until(
          "each job travels alone",
          () -> {
            Fleet.submit(producer, JobRequest.of("slow", 1), TOGETHER);
            sent.addAndGet(TOGETHER);
            return database.number(LAST_BATCH) == 1;
          });
      fleet.worker(m -> m.registerHandler("slow", Integer.class, (context, payload) -> null));
      fleet.untilEnded(sent.get());
      fleet.end();
    }
  }
}
