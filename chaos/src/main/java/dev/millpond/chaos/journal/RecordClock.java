package dev.millpond.chaos.journal;

import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.TimeUnit;

/**
 * The clock of a campaign's records: the time of day when a part began, carried on by the monotonic
 * clock, which all processes of a machine share on Linux and macOS. Setting the machine's clock, or
 * that of one process, changes nothing. Immutable.
 */
public final class RecordClock implements InstantSource {
  /** System property by which workers are told of it. */
  public static final String SETTING = "millpond.chaos.nanosAtEpoch";

  private final long nanosAtEpoch;

  private RecordClock(long nanosAtEpoch) {
    this.nanosAtEpoch = nanosAtEpoch;
  }

  /** That of a part which begins now, with this machine's time of day. */
  public static RecordClock begin() {
    long epoch = TimeUnit.MILLISECONDS.toNanos(InstantSource.system().millis());
    return new RecordClock(System.nanoTime() - epoch);
  }

  /** The one that this process was told of. */
  public static RecordClock told() {
    Long nanos = Long.getLong(SETTING);
    if (nanos == null) {
      throw new IllegalStateException("-D" + SETTING + " is not set");
    }
    return new RecordClock(nanos);
  }

  /** The value of {@link #SETTING} for another process. */
  public String setting() {
    return Long.toString(nanosAtEpoch);
  }

  @Override
  public long millis() {
    return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - nanosAtEpoch);
  }

  @Override
  public Instant instant() {
    return Instant.ofEpochMilli(millis());
  }
}
