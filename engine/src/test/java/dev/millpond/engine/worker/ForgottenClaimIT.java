package dev.millpond.engine.worker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.api.JobRequest;
import dev.millpond.api.JobState;
import dev.millpond.engine.Database;
import dev.millpond.engine.Fleet;
import dev.millpond.engine.Fleet.Mode;
import dev.millpond.engine.Millpond;
import dev.millpond.engine.Timing;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Claims do not wait for the disk: a crash of PostgreSQL may leave a claimed row waiting. */
class ForgottenClaimIT {
  private static final int JOBS = 4;

  private static final String ROWS = "SELECT count(*) FROM millpond.dispatch";
  private static final String CLAIM = "UPDATE millpond.dispatch SET claimed_by = ?";

  /** Batches stay as they are for the whole test. */
  private static final Timing SLOW =
      new Timing(
          Duration.ofMinutes(1),
          Duration.ofSeconds(5),
          Duration.ofSeconds(30),
          Duration.ofSeconds(1));

  @Test
  void aBatchThatItsWorkerClaimsAgainRunsOnce() {
    AtomicInteger started = new AtomicInteger();
    CountDownLatch go = new CountDownLatch(1);
    try (Database database = Database.fresh();
        Fleet fleet = Fleet.on(database, Mode.POSTGRES)) {
      Millpond node =
          fleet.worker(
              fleet.config().withTiming(SLOW),
              m -> {
                m.registerHandler(
                    "held",
                    String.class,
                    (context, payload) -> {
                      started.incrementAndGet();
                      return go.await(30, TimeUnit.SECONDS);
                    });
                m.registerHandler("later", String.class, (context, payload) -> null);
              });
      List<UUID> ids = Fleet.submit(node, JobRequest.of("held", ""), JOBS);
      Fleet.until("all run", () -> started.get() == JOBS);
      database.update("UPDATE millpond.dispatch SET claimed_by = NULL, claimed_at = NULL");
      Fleet.until(
          "the second claim",
          () ->
              database.number("SELECT count(*) FROM millpond.dispatch WHERE claimed_by IS NULL")
                  == 0);
      // What is claimed after it runs only when the worker is done with the second claim.
      Fleet.submit(fleet.producer(), JobRequest.of("later", ""), 1);
      fleet.untilEnded(1);
      go.countDown();
      for (UUID id : ids) {
        assertThat(fleet.untilState(id, JobState.SUCCEEDED).attempt()).isEqualTo(1);
      }
      fleet.leave(node);
      assertThat(started.get()).isEqualTo(JOBS);
      fleet.assertCounted("completed", JOBS + 1);
      assertThat(database.depth()).isZero();
      fleet.assertBooksClean();
    }
  }

  /**
   * Another worker claimed the row while its claim was forgotten, and that claim was forgotten as
   * well. A part that was written in between did not count, and must be written again.
   */
  @Test
  void endsThatDidNotPassTheirGateAreWrittenOnceTheRowIsBack() {
    AtomicInteger started = new AtomicInteger();
    List<CountDownLatch> go = List.of(new CountDownLatch(1), new CountDownLatch(1));
    try (Database database = Database.fresh();
        Fleet fleet = Fleet.on(database, Mode.POSTGRES)) {
      Millpond node =
          fleet.worker(
              fleet.config().withTiming(SLOW),
              m ->
                  m.registerHandler(
                      "held",
                      Integer.class,
                      (context, number) -> {
                        started.incrementAndGet();
                        return go.get(number).await(30, TimeUnit.SECONDS);
                      }));
      Fleet.submit(node, List.of(JobRequest.of("held", 0), JobRequest.of("held", 1)));
      Fleet.until("both run", () -> started.get() == 2);
      assertThat(database.number(ROWS)).as("one batch").isEqualTo(1);
      UUID session = database.ids("SELECT claimed_by FROM millpond.dispatch").getFirst();
      database.update(CLAIM, UUID.randomUUID());
      go.getFirst().countDown();
      Fleet.until("the first end did not count", () -> fleet.counted("stale") > 0);
      assertThat(database.outcomes()).isZero();
      database.update(CLAIM, session);
      go.getLast().countDown();
      Fleet.until("the row is gone", () -> database.number(ROWS) == 0);
      assertThat(database.outcomes()).isEqualTo(2);
      fleet.leave(node);
      fleet.assertBooksClean();
    }
  }
}
