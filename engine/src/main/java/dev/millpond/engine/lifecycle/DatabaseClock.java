package dev.millpond.engine.lifecycle;

import dev.millpond.engine.lifecycle.store.ClockStore;
import dev.millpond.engine.lifecycle.store.Transactions;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;

/**
 * The database's clock, as the quickest of a few round trips showed it, and carried on by this
 * process' monotonic clock: setting the machine's clock while the node runs changes nothing. Good
 * for ids and for times that are shown; leases are reckoned in SQL. A machine that was asleep is
 * behind until the next look. Thread-safe.
 */
public final class DatabaseClock implements InstantSource {
  /** Whoever's clock is further off is to set it, and not to find out by what its logs say. */
  private static final Duration OFFSET_MAX = Duration.ofMinutes(5);

  private static final int TRIPS = 3;

  private final InstantSource machine;
  private volatile Reading last;

  /**
   * What the clocks said at the same time.
   *
   * @param nanos of {@link System#nanoTime()}
   */
  private record Reading(Instant database, Instant machine, long nanos) {
    Duration offset() {
      return Duration.between(machine, database);
    }

    Instant now() {
      return database.plusNanos(System.nanoTime() - nanos);
    }
  }

  public DatabaseClock(InstantSource machine) {
    this.machine = machine;
    Instant now = machine.instant();
    this.last = new Reading(now, now, System.nanoTime());
  }

  /**
   * Looks at the database's clock anew.
   *
   * @throws ClockException when the machine's is more than {@link #OFFSET_MAX} off
   */
  public void measure(Transactions transactions) {
    Reading reading = read(transactions);
    Duration off = reading.offset().abs();
    if (off.compareTo(OFFSET_MAX) > 0) {
      throw new ClockException(
          "This machine's clock is "
              + off
              + " off the database's; at most "
              + OFFSET_MAX
              + " is allowed. Set the clock, or start a time service");
    }
    last = reading;
  }

  /**
   * Looks anew while work goes on: the machine may have been asleep, or another server be the
   * database's by now. However far off the machine's clock is by now, ids go by the database.
   *
   * @return how much the database's clock less the machine's has changed
   */
  public Duration follow(Transactions transactions) {
    Reading reading = read(transactions);
    Duration change = reading.offset().minus(last.offset());
    last = reading;
    return change;
  }

  private Reading read(Transactions transactions) {
    Reading best = last;
    long quickest = Long.MAX_VALUE;
    for (int i = 0; i < TRIPS; i++) {
      // Timed with the connection in hand: the wait for one is no way to the database.
      long[] trip = new long[1];
      Reading reading =
          transactions.read(tx -> {
            long sent = System.nanoTime();
            Instant database = ClockStore.now(tx);
            long came = System.nanoTime();
            trip[0] = came - sent;
            return new Reading(database.plusNanos(trip[0] / 2), machine.instant(), came);
          });
      if (trip[0] < quickest) {
        quickest = trip[0];
        best = reading;
      }
    }
    return best;
  }

  @Override
  public Instant instant() {
    return last.now();
  }
}
