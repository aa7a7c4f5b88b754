package dev.millpond.engine.worker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.api.HandlerOptions;
import dev.millpond.api.JobRequest;
import dev.millpond.engine.Database;
import dev.millpond.engine.Fleet;
import dev.millpond.engine.Fleet.Mode;
import dev.millpond.engine.Millpond;
import java.sql.Connection;
import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Jobs that were lost with their process, run again in a live one. */
class QuarantineIT {
  private static final int SUSPECTS = 8;

  private static Database database;
  private Fleet fleet;
  private final AtomicInteger running = new AtomicInteger();
  private final AtomicInteger together = new AtomicInteger();
  private final AtomicInteger notedAlone = new AtomicInteger();
  private final AtomicInteger besideANote = new AtomicInteger();

  @BeforeAll
  static void open() {
    database = Database.fresh();
  }

  @AfterAll
  static void shut() {
    database.close();
  }

  @BeforeEach
  void start() {
    fleet = Fleet.on(database, Mode.POSTGRES);
  }

  @AfterEach
  void stop() {
    fleet.end();
  }

  @Test
  void suspectsRunOneAtATimeWithNothingElseAndAreClearedByTheirEnd() {
    Millpond producer = fleet.producer();
    Fleet.submit(producer, JobRequest.of("suspect", ""), SUSPECTS);
    Suspects.all(database, 4); // alone for seconds, so that a stall of the machine is no company
    fleet.worker(this::handlers);
    Fleet.submit(producer, JobRequest.of("other", ""), 400);
    fleet.untilEnded(400 + SUSPECTS);
    assertThat(together).as("suspects that ran beside something else").hasValue(0);
    assertThat(besideANote).as("others that began while a suspect was noted as alone").hasValue(0);
    assertThat(notedAlone).hasValue(SUSPECTS);
    assertThat(database.number("SELECT count(*) FROM millpond.job_state")).isZero();
    assertThat(database.number("SELECT max(attempt) FROM millpond.job_outcome")).isOne();
  }

  @Test
  void aSuspectThatRunsLongIsAloneForAWhileOnly() throws InterruptedException {
    Millpond producer = fleet.producer();
    CountDownLatch release = new CountDownLatch(1);
    UUID id = aloneUntil(release, producer);
    Fleet.submit(producer, JobRequest.of("other", ""), 20);
    fleet.untilEnded(20);
    assertThat(alone(id)).isFalse();
    release.countDown();
    fleet.untilEnded(21);
  }

  @Test
  void aSuspectWhoseRowIsLockedKeepsTheOthersWaitingForALeaseAtMost() throws Exception {
    Millpond producer = fleet.producer();
    CountDownLatch release = new CountDownLatch(1);
    UUID id = aloneUntil(release, producer);
    try (Connection other = database.connect()) {
      other.setAutoCommit(false);
      Database.update(other, "UPDATE millpond.job_state SET alone = alone WHERE job_id = ?", id);
      Fleet.submit(producer, JobRequest.of("other", ""), 20);
      long noted = noteMicros();
      Fleet.until("the note is taken back in vain", () -> noteMicros() > noted);
      long began = System.nanoTime();
      fleet.untilEnded(20);
      assertThat(Duration.ofNanos(System.nanoTime() - began))
          .isLessThan(Fleet.TIMING.lease().multipliedBy(2));
      other.rollback();
    }
    release.countDown();
    fleet.untilEnded(21);
  }

  /** A suspect that runs alone for a second or two, and then in company until it is released. */
  private UUID aloneUntil(CountDownLatch release, Millpond producer) {
    UUID id = Fleet.submit(producer, JobRequest.of("long", ""), 1).getFirst();
    Suspects.all(database, 2);
    fleet.worker(member -> {
      handlers(member);
      member.registerHandler(
          "long",
          String.class,
          (context, payload) -> release.await(40, TimeUnit.SECONDS),
          HandlerOptions.DEFAULT);
    });
    Fleet.until("alone", () -> alone(id) && noteMicros() > 0);
    return id;
  }

  /** When the worker was last done with a note or with taking one back; 0 while it is at it. */
  private static long noteMicros() {
    return database.number(
        """
        SELECT coalesce(max(1000000 * extract(epoch FROM state_change)), 0)::bigint
        FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'millpond-roles'
          AND state = 'idle'
        """);
  }

  private static boolean alone(UUID id) {
    return database.number("SELECT count(*) FROM millpond.job_state WHERE job_id = ? AND alone", id)
        == 1;
  }

  private void handlers(Millpond member) {
    member.registerHandler(
        "suspect",
        String.class,
        (context, payload) -> {
          if (running.getAndIncrement() > 0) {
            together.incrementAndGet();
          }
          if (alone(context.jobId())) {
            notedAlone.incrementAndGet();
          }
          Thread.sleep(2);
          running.decrementAndGet();
          return null;
        },
        HandlerOptions.DEFAULT);
    member.registerHandler(
        "other",
        String.class,
        (context, payload) -> {
          running.incrementAndGet();
          if (database.number(
                  "SELECT count(*) FROM millpond.job_state WHERE alone AND session IS NOT NULL")
              > 0) {
            besideANote.incrementAndGet();
          }
          running.decrementAndGet();
          return null;
        },
        HandlerOptions.DEFAULT);
  }
}
