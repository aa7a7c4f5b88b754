package dev.millpond.engine.fleet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.millpond.api.JobRequest;
import dev.millpond.engine.Database;
import dev.millpond.engine.Fleet;
import dev.millpond.engine.Fleet.Mode;
import dev.millpond.engine.Millpond;
import dev.millpond.engine.fleet.WorkerView.State;
import dev.millpond.engine.flow.InvalidSettingException;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** One worker of several is drained, and taken back. */
class WorkersIT {
  private static final int JOBS = 200;

  private static Database database;

  @BeforeAll
  static void open() {
    database = Database.fresh();
  }

  @AfterAll
  static void shut() {
    database.close();
  }

  /** A worker that counts what it starts; jobs of one kind hold their slots. */
  private static final class Crew {
    final AtomicInteger started = new AtomicInteger();
    final AtomicInteger repeated = new AtomicInteger();
    final AtomicInteger held = new AtomicInteger();
    final CountDownLatch release = new CountDownLatch(1);
    final Millpond millpond;

    Crew(Fleet fleet, int slots) {
      millpond =
          fleet.worker(
              fleet.config().withSlots(slots),
              worker -> {
                worker.registerHandler(
                    "quick",
                    Integer.class,
                    (job, n) -> {
                      started.incrementAndGet();
                      repeated.addAndGet(job.attempt() - 1);
                      return n;
                    });
                worker.registerHandler(
                    "long",
                    Integer.class,
                    (job, n) -> {
                      held.incrementAndGet();
                      release.await();
                      return n;
                    });
              });
    }

    UUID process() {
      return millpond.nodeId();
    }
  }

  private static State state(Millpond by, UUID worker) {
    return by.workers().find(worker).orElseThrow().state();
  }

  @ParameterizedTest
  @EnumSource
  void aDrainedWorkerFinishesWhatItHasStartedAndLeavesTheRestToOthers(Mode mode) {
    Fleet fleet = Fleet.on(database, mode);
    Millpond producer = fleet.producer();
    fleet.maintainer();
    Crew drained = new Crew(fleet, 2);
    Fleet.submit(producer, JobRequest.of("long", 0), 2);
    Fleet.until("both its slots are taken", () -> drained.held.get() == 2);
    Fleet.submit(producer, JobRequest.of("quick", 1), JOBS); // some of it may wait there now

    DrainResult asked = producer.workers().drain(drained.process(), "ops", "its host is replaced");

    assertThat(asked)
        .isInstanceOfSatisfying(
            DrainResult.Asked.class,
            to -> {
              assertThat(to.worker().state()).isEqualTo(State.DRAINING);
              assertThat(to.worker().drain())
                  .matches(order -> "ops".equals(order.by()), "by")
                  .matches(order -> "its host is replaced".equals(order.reason()), "reason");
            });
    Crew other = new Crew(fleet, 2);
    fleet.untilEnded(JOBS); // all but the two that run on
    assertThat(drained.started.get()).isZero();
    assertThat(other.started.get()).isEqualTo(JOBS);
    assertThat(other.repeated.get()).as("attempts burned").isZero();
    assertThat(state(producer, drained.process())).isEqualTo(State.DRAINING);
    assertThat(state(producer, other.process())).isEqualTo(State.ACTIVE);

    drained.release.countDown();
    fleet.untilEnded(JOBS + 2);
    Fleet.until("it says so", () -> state(producer, drained.process()) == State.DRAINED);

    producer.workers().resume(drained.process());
    fleet.leave(other.millpond);
    Fleet.submit(producer, JobRequest.of("quick", 2), JOBS);
    fleet.untilEnded(2 * JOBS + 2);
    assertThat(drained.started.get()).isEqualTo(JOBS);
    Fleet.until("it is back", () -> state(producer, drained.process()) == State.ACTIVE);
    fleet.end();
  }

  @Test
  void aWorkerThatWasFencedStaysDrained() {
    Fleet fleet = Fleet.on(database, Mode.POSTGRES);
    Millpond producer = fleet.producer();
    fleet.maintainer();
    Crew drained = new Crew(fleet, 2);
    producer.workers().drain(drained.process(), null, null);
    Fleet.until("it says so", () -> state(producer, drained.process()) == State.DRAINED);
    UUID before = producer.workers().find(drained.process()).orElseThrow().id();

    database.update("UPDATE millpond.worker SET fenced = true WHERE session = ?", before);

    Fleet.until(
        "it is back as another session",
        () ->
            producer.workers().find(drained.process()).stream()
                .anyMatch(worker -> !worker.id().equals(before)));
    Fleet.until("it says so", () -> state(producer, drained.process()) == State.DRAINED);
    Fleet.submit(producer, JobRequest.of("quick", 1), JOBS);
    Crew other = new Crew(fleet, 2);
    fleet.untilEnded(JOBS);
    assertThat(drained.started.get()).isZero();
    assertThat(other.started.get()).isEqualTo(JOBS);
    fleet.end();
  }

  @Test
  void oneThatIsLostOrUnknownIsNotAskedAndTheFirstOrderStands() {
    Fleet fleet = Fleet.on(database, Mode.POSTGRES);
    Millpond producer = fleet.producer();
    UUID nobody = UUID.randomUUID();
    assertThat(producer.workers().drain(nobody, null, null))
        .isEqualTo(new DrainResult.Unknown(nobody));
    UUID lost = UUID.randomUUID();
    database.update(
        """
        INSERT INTO millpond.worker (session, process, host, pid, kinds, slots, lease, fenced)
        VALUES (?, ?, 'here', 1, '{quick}', 1, interval '2 s', true)
        """,
        lost,
        UUID.randomUUID());
    assertThat(producer.workers().drain(lost, null, null)).isEqualTo(new DrainResult.Lost(lost));
    Crew crew = new Crew(fleet, 1);
    producer.workers().drain(crew.process(), "ann", "first");
    producer.workers().drain(crew.process(), "bob", "second");
    assertThat(producer.workers().find(crew.process()).orElseThrow().drain())
        .matches(order -> "ann".equals(order.by()) && "first".equals(order.reason()));
    assertThat(producer.workers().list()).hasSize(2);
    assertThatExceptionOfType(InvalidSettingException.class)
        .isThrownBy(() -> producer.workers().drain(crew.process(), "x".repeat(101), null));
    assertThatExceptionOfType(InvalidSettingException.class)
        .isThrownBy(() -> producer.workers().drain(crew.process(), null, "red\u001b[31m"));
    fleet.end();
  }
}
