package dev.millpond.engine.lifecycle;

import dev.millpond.engine.lifecycle.store.ClockStore;
import dev.millpond.engine.lifecycle.store.Transactions;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;

/**
 * This machine's clock, corrected by what the database's showed: the offset of the quickest of a
 * few round trips. Good for ids and for times that are shown; leases are reckoned in SQL.
 * Thread-safe.
 */
public final class DatabaseClock implements InstantSource {
  /** Further off than this, ids would fall outside the partitions. */
  private static final Duration OFFSET_MAX = Duration.ofMinutes(5);

  private static final int TRIPS = 3;

  private final InstantSource machine;
  private volatile Duration offset = Duration.ZERO;

  public DatabaseClock(InstantSource machine) {
    this.machine = machine;
  }

  /**
   * Measures the offset anew.
   *
   * @throws ClockException when the clocks are more than {@link #OFFSET_MAX} apart
   */
  public void measure(Transactions transactions) {
    Duration measured = offsetNow(transactions);
    if (measured.abs().compareTo(OFFSET_MAX) > 0) {
      throw new ClockException(
          "This machine's clock is "
              + measured.abs()
              + " off the database's; at most "
              + OFFSET_MAX
              + " is allowed. Set the clock, or start a time service");
    }
    offset = measured;
  }

  /**
   * Measures the offset anew while work goes on: the machine's clock may have been set, or the
   * machine may have been asleep. However far off it is by now, ids go by the database.
   *
   * @return how much the offset has changed
   */
  public Duration follow(Transactions transactions) {
    Duration before = offset;
    Duration measured = offsetNow(transactions);
    offset = measured;
    return measured.minus(before);
  }

  private Duration offsetNow(Transactions transactions) {
    Duration best = Duration.ZERO;
    long quickest = Long.MAX_VALUE;
    for (int i = 0; i < TRIPS; i++) {
      // Timed with the connection in hand: the wait for one is no way to the database.
      long[] trip = new long[1];
      Duration measured =
          transactions.call(tx -> {
            long sent = System.nanoTime();
            Instant database = ClockStore.now(tx);
            trip[0] = System.nanoTime() - sent;
            return Duration.between(machine.instant(), database.plusNanos(trip[0] / 2));
          });
      if (trip[0] < quickest) {
        quickest = trip[0];
        best = measured;
      }
    }
    return best;
  }

  /** The database's clock less this machine's. */
  public Duration offset() {
    return offset;
  }

  @Override
  public Instant instant() {
    return machine.instant().plus(offset);
  }
}
