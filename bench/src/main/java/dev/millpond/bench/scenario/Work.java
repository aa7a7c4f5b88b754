package dev.millpond.bench.scenario;

import dev.millpond.api.Backoff;
import dev.millpond.api.HandlerOptions;
import dev.millpond.api.Handlers;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.LongAdder;
import org.HdrHistogram.ConcurrentHistogram;
import org.HdrHistogram.Histogram;

/** What the handler of a measurement does. */
enum Work {
  /** Nothing. */
  NOTHING("bench.noop") {
    @Override
    void run(Payload payload, Tally tally) {}
  },
  /** Waits, as for another server, for 1 ms to 2 s: as often below 45 ms as above it. */
  MIXED("bench.mixed") {
    @Override
    void run(Payload payload, Tally tally) throws InterruptedException {
      double exponent =
          ThreadLocalRandom.current().nextDouble(Math.log(SHORTEST), Math.log(LONGEST));
      Thread.sleep(Duration.ofNanos((long) (Math.exp(exponent) * 1e6)));
    }
  },
  /** Fails in 5 % of all attempts; is tried again after at most 100 ms. */
  FLAKY("bench.flaky") {
    @Override
    void run(Payload payload, Tally tally) {
      if (ThreadLocalRandom.current().nextInt(100) < FAILED_PERCENT) {
        tally.failures.increment();
        throw new IllegalStateException("one of the attempts that are to fail");
      }
    }
  };

  private static final double SHORTEST = 1;
  private static final double LONGEST = 2_000;
  private static final int FAILED_PERCENT = 5;
  private static final Backoff BACKOFF =
      new Backoff(Duration.ofMillis(100), Duration.ofMillis(400));

  private final String kind;

  /**
   * What a job carries.
   *
   * @param at {@link System#nanoTime()} of the submit
   */
  record Payload(long at, String text) {}

  /** Counts of the handler's runs in this process. */
  static final class Tally {
    private final LongAdder runs = new LongAdder();
    private final LongAdder failures = new LongAdder();
    private final Histogram startMicros = new ConcurrentHistogram(60_000_000L, 3);

    long runs() {
      return runs.sum();
    }

    long failures() {
      return failures.sum();
    }

    /** Time from the submit call to the handler, in microseconds; of jobs of this process. */
    Histogram startMicros() {
      return startMicros;
    }
  }

  Work(String kind) {
    this.kind = kind;
  }

  String kind() {
    return kind;
  }

  abstract void run(Payload payload, Tally tally) throws InterruptedException;

  void register(Handlers handlers, Tally tally) {
    handlers.registerHandler(
        kind,
        Payload.class,
        (context, payload) -> {
          tally.runs.increment();
          tally.startMicros.recordValue(
              Math.clamp((System.nanoTime() - payload.at()) / 1_000, 0, 59_000_000));
          run(payload, tally);
          return null;
        },
        HandlerOptions.DEFAULT.withBackoff(BACKOFF));
  }
}
