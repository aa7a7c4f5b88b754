package dev.millpond.engine.worker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.api.JobRequest;
import dev.millpond.engine.Database;
import dev.millpond.engine.Fleet;
import dev.millpond.engine.Fleet.Mode;
import dev.millpond.engine.Millpond;
import dev.millpond.engine.MillpondConfig;
import dev.millpond.faults.Ending;
import dev.millpond.faults.Fault;
import dev.millpond.faults.FaultProxy;
import dev.millpond.faults.Moment;
import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The note that a suspect does not run alone any more is under way on a connection that stays open
 * and is dead. Nothing else may begin in the process meanwhile, so it is given up soon (ADR 25).
 */
class DeadNoteIT {
  /** Half a lease, 2 s, and a busy build machine; a connection of the usual pool takes 60 s. */
  private static final Duration WITHIN = Duration.ofSeconds(20);

  @ParameterizedTest
  @EnumSource(
      value = Moment.class,
      names = {"UNANSWERED"})
  void othersWaitForHalfALeaseAndNotForTheDeadConnection(Moment moment) {
    try (Database database = Database.fresh();
        FaultProxy proxy = FaultProxy.postgres(database.url());
        Fleet fleet = Fleet.on(database, Mode.POSTGRES)) {
      Millpond producer = fleet.producer();
      UUID suspect = Fleet.submit(producer, JobRequest.of("long", ""), 1).getFirst();
      Suspects.all(database, 2); // alone for two seconds
      Fault dead =
          proxy.add(
              Fault.next(
                  e -> e.asks("SET alone = false"), moment, Fault.Action.end(Ending.HALF_OPEN)));
      CountDownLatch release = new CountDownLatch(1);
      fleet.worker(
          MillpondConfig.of(proxy.url()).withTiming(Fleet.TIMING).withSlots(4),
          m ->
              m.registerHandler(
                      "long",
                      String.class,
                      (context, payload) -> release.await(60, TimeUnit.SECONDS))
                  .registerHandler("other", String.class, (context, payload) -> null));
      Fleet.until("its note is under way", dead::struck);
      long began = System.nanoTime();
      Fleet.submit(producer, JobRequest.of("other", ""), 5);
      fleet.untilEnded(5);
      assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(WITHIN);
      Fleet.until(
          "it is noted after all",
          () ->
              database.number(
                      "SELECT count(*) FROM millpond.job_state WHERE job_id = ? AND NOT alone",
                      suspect)
                  == 1);
      release.countDown();
      fleet.untilEnded(6);
      fleet.end();
    }
  }
}
