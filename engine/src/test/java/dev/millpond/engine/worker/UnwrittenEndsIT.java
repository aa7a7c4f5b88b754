package dev.millpond.engine.worker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.api.JobOptions;
import dev.millpond.api.JobRequest;
import dev.millpond.engine.Database;
import dev.millpond.engine.Fleet;
import dev.millpond.engine.Fleet.Mode;
import dev.millpond.engine.MillpondConfig;
import dev.millpond.engine.Timing;
import dev.millpond.faults.Fault;
import dev.millpond.faults.FaultProxy;
import dev.millpond.faults.Moment;
import dev.millpond.faults.Step;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

/**
 * What a worker has done and cannot write is bounded: PostgreSQL answers its claims and does not
 * come to an end with its writes.
 */
class UnwrittenEndsIT {
  /** No batch is given back or mislaid meanwhile. */
  private static final Timing PATIENT =
      new Timing(
          Duration.ofMinutes(1),
          Duration.ofSeconds(5),
          Duration.ofSeconds(30),
          Duration.ofSeconds(1));

  private static final int SLOTS = 4;
  private static final int JOBS = 800;
  private static final int RESULT_BYTES = 128 << 10;

  /** Ends beyond which it takes no more. */
  private static final int BEYOND = (32 << 20) / RESULT_BYTES;

  /** What runs by then, and what each slot took with that. */
  private static final int RUNNING = 2 * SLOTS;

  @Test
  void aWorkerThatCannotWriteItsEndsStartsNoMoreThanItCanHold() throws Exception {
    try (Database database = Database.fresh();
        Fleet fleet = Fleet.on(database, Mode.POSTGRES);
        FaultProxy proxy = FaultProxy.postgres(database.url())) {
      JobRequest large =
          JobRequest.of("large", 1).withOptions(JobOptions.DEFAULT.withKeepResult(true));
      List<UUID> acknowledged = Fleet.submit(fleet.producer(), large, JOBS);
      CountDownLatch goesOn = new CountDownLatch(1);
      Fault write = proxy.add(Fault.next(Step.OUTCOME, Moment.UNSENT, link -> opens(goesOn)));
      AtomicInteger ran = new AtomicInteger();
      String result = "r".repeat(RESULT_BYTES - 2);
      MillpondConfig config = MillpondConfig.of(proxy.url()).withTiming(PATIENT).withSlots(SLOTS);
      fleet.worker(
          config.withLimits(config.limits().withBytes(1 << 10, 2 * RESULT_BYTES)),
          m ->
              m.registerHandler(
                  "large",
                  Integer.class,
                  (context, n) -> {
                    LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(2));
                    ran.incrementAndGet();
                    return result;
                  }));
      Fleet.until("it has more to write than it should", () -> ran.get() > BEYOND);
      int held = (int) Fleet.whenItRests("it starts no more", ran::get);
      assertThat(write.seen()).as("the first write is held back").isEqualTo(1);
      assertThat(held).isBetween(BEYOND, BEYOND + RUNNING);
      assertThat(database.outcomes()).isZero();
      goesOn.countDown();
      fleet.untilEnded(JOBS);
      assertThat(ran.get()).as("each ran once").isEqualTo(JOBS);
      fleet.assertBooksClean(Set.copyOf(acknowledged));
      fleet.end();
    }
  }

  private static boolean opens(CountDownLatch latch) {
    try {
      return latch.await(60, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }
}
