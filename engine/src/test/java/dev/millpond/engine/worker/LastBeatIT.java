package dev.millpond.engine.worker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.engine.Database;
import dev.millpond.engine.Fleet;
import dev.millpond.engine.Fleet.Mode;
import dev.millpond.engine.Millpond;
import dev.millpond.engine.MillpondConfig;
import dev.millpond.engine.Timing;
import dev.millpond.faults.Exchange;
import dev.millpond.faults.Fault;
import dev.millpond.faults.FaultProxy;
import dev.millpond.faults.Moment;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** A worker is closed while it beats. */
class LastBeatIT {
  /** With a lease that leaves a beat that is held back more time than anybody waits for its end. */
  private static final Timing PATIENT =
      new Timing(
          Duration.ofSeconds(30), Fleet.TIMING.beat(), Fleet.TIMING.settle(), Fleet.TIMING.scan());

  /** The session is beaten for: the pieces of its statement that no other one has. */
  private static boolean beats(Exchange exchange) {
    return exchange.asks("SET beat_at = now(), busy");
  }

  @Test
  void itsSessionEndsAfterTheBeatThatIsUnderWayAndNoOtherOneBegins() throws Exception {
    try (Database database = Database.fresh();
        Fleet fleet = Fleet.on(database, Mode.POSTGRES);
        FaultProxy proxy = FaultProxy.postgres(database.url())) {
      Millpond worker =
          fleet.worker(
              MillpondConfig.of(proxy.url()).withTiming(PATIENT).withSlots(2),
              m -> m.registerHandler("noop", Integer.class, (context, n) -> n));
      CountDownLatch goesOn = new CountDownLatch(1);
      Fault beat = proxy.add(Fault.next(LastBeatIT::beats, Moment.UNSENT, link -> await(goesOn)));
      Fault left = proxy.add(Fault.none(e -> e.asks("DELETE FROM millpond.worker w")));
      Fleet.until("a beat", () -> beat.seen() == 1);
      Thread closing = Thread.ofPlatform().start(() -> fleet.leave(worker));
      Fleet.until("it waits", () -> waitsForTheBeat(closing));
      assertThat(left.seen()).isZero();
      goesOn.countDown();
      closing.join(TimeUnit.SECONDS.toMillis(20));
      assertThat(left.seen()).isEqualTo(1);
      assertThat(database.number("SELECT count(*) FROM millpond.worker")).isZero();
      fleet.end();
    }
  }

  private static boolean waitsForTheBeat(Thread closing) {
    for (StackTraceElement at : closing.getStackTrace()) {
      if (at.getClassName().equals(Heartbeat.class.getName())
          && at.getMethodName().equals("join")) {
        return true;
      }
    }
    return false;
  }

  private static boolean await(CountDownLatch latch) {
    try {
      return latch.await(20, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }
}
