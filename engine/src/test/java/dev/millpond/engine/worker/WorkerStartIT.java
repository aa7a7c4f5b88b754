package dev.millpond.engine.worker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.api.JobRequest;
import dev.millpond.engine.Database;
import dev.millpond.engine.Fleet;
import dev.millpond.engine.Fleet.Mode;
import dev.millpond.engine.MillpondConfig;
import dev.millpond.engine.Timing;
import dev.millpond.faults.Fault;
import dev.millpond.faults.FaultProxy;
import dev.millpond.faults.Moment;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

/** A worker begins. */
class WorkerStartIT {
  /** Longer than a beat may take with the times of {@link Timing#FAST}, and than its lease. */
  private static final Duration SLOW = Duration.ofMillis(2_500);

  @Test
  void aDatabaseThatIsSlowToTakeItsSessionDoesNotKeepItFromBeginning() {
    try (Database database = Database.fresh();
        Fleet fleet = Fleet.on(database, Mode.POSTGRES);
        FaultProxy proxy = FaultProxy.postgres(database.url())) {
      Fault slow =
          proxy.add(
              Fault.next(
                  exchange -> exchange.asks("INSERT INTO millpond.worker"),
                  Moment.UNSENT,
                  link -> {
                    LockSupport.parkNanos(SLOW.toNanos());
                    return true;
                  }));

      fleet.worker(
          MillpondConfig.of(proxy.url()).withTiming(Timing.FAST).withSlots(2),
          m -> m.registerHandler("noop", Integer.class, (context, n) -> n));

      assertThat(slow.struck()).isTrue();
      Fleet.submit(fleet.producer(), JobRequest.of("noop", 1), 3);
      fleet.untilEnded(3);
      fleet.end();
    }
  }
}
