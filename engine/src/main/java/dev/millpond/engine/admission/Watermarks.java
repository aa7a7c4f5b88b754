package dev.millpond.engine.admission;

import dev.millpond.engine.ConfigException;

/**
 * The depths at which a queue's gate closes and opens again. The gate is closed once the depth has
 * come to one of the high marks, and stays so until it is below both of the low ones.
 *
 * @param jobs a mark in runnable and running jobs
 * @param bytes a mark in bytes of their payloads
 */
public record Watermarks(Mark jobs, Mark bytes) {
  /** Jobs. */
  public static final long MOST = 1_000_000_000;

  /** A mark in bytes is set in MiB. */
  public static final int MIB_MOST = 1 << 20;

  private static final int MIB_SHIFT = 20;

  /** Of a measure by which a queue is never full. */
  public static final long NO_MARK = 0;

  /** The low mark is this part of a high one for which none is set. */
  private static final int LOW_PART = 5;

  /** MiB at which a queue is full for which nothing was set. */
  public static final int DEFAULT_MIB = 1_024;

  /** Of a queue for which none were set. */
  public static final Watermarks DEFAULT =
      new Watermarks(new Mark(10_000, 2_000), Mark.mib(DEFAULT_MIB, lowOf(DEFAULT_MIB)));

  /** A queue without marks. */
  public static final Watermarks NONE = new Watermarks(Mark.NONE, Mark.NONE);

  /**
   * One measure's marks.
   *
   * @param high {@link #NO_MARK} for none, or 2 or more
   * @param low 1 or more, below {@code high}
   */
  public record Mark(long high, long low) {
    /** By which a queue is never full. */
    public static final Mark NONE = new Mark(NO_MARK, 1);

    /** In bytes. */
    public static Mark mib(long high, long low) {
      return high == NO_MARK ? NONE : new Mark(high << MIB_SHIFT, low << MIB_SHIFT);
    }

    public boolean marked() {
      return high != NO_MARK;
    }

    /** Of a mark in bytes. */
    public long highMib() {
      return high >> MIB_SHIFT;
    }

    /** Of a mark in bytes. */
    public long lowMib() {
      return low >> MIB_SHIFT;
    }

    boolean full(long depth) {
      return marked() && depth >= high;
    }

    boolean clear(long depth) {
      return !marked() || depth < low;
    }

    long left(long depth) {
      return marked() ? high - depth : Long.MAX_VALUE;
    }
  }

  public Watermarks {
    if (jobs.high != NO_MARK && (jobs.high < 2 || jobs.high > MOST)) {
      throw new ConfigException(
          "millpond.queue.high-watermark", jobs.high, "none, or 2 to " + MOST + " jobs");
    }
    below("millpond.queue.low-watermark", jobs, "jobs");
    if (bytes.high != NO_MARK && (bytes.high < 2 || bytes.high > (long) MIB_MOST << MIB_SHIFT)) {
      throw new ConfigException(
          "millpond.queue.high-watermark.mib", bytes.high, "none, or up to " + MIB_MOST + " MiB");
    }
    below("millpond.queue.low-watermark.mib", bytes, "bytes");
  }

  /** In jobs only. */
  public Watermarks(long high, long low) {
    this(new Mark(high, low), Mark.NONE);
  }

  private static void below(String key, Mark mark, String unit) {
    if (mark.low < 1 || (mark.marked() && mark.low >= mark.high)) {
      throw new ConfigException(
          key,
          mark.low,
          mark.marked()
              ? "1 to " + (mark.high - 1) + " " + unit + ", below the high"
              : "1 or more");
    }
  }

  /** The low mark of a high one for which none is set. */
  public static long lowOf(long high) {
    return Math.max(1, high / LOW_PART);
  }

  /** Whether the queue can be full. */
  public boolean marked() {
    return jobs.marked() || bytes.marked();
  }

  /** The marks at which it is closed; by others it is not. */
  public Amount high() {
    return new Amount(jobs.high, bytes.high);
  }

  boolean full(Amount depth) {
    return jobs.full(depth.jobs()) || bytes.full(depth.bytes());
  }

  /** Whether a depth is below the low marks. */
  public boolean clear(Amount depth) {
    return jobs.clear(depth.jobs()) && bytes.clear(depth.bytes());
  }

  /** Up to the high marks; of a measure without one, as much as one likes. */
  Amount left(Amount depth) {
    return new Amount(jobs.left(depth.jobs()), bytes.left(depth.bytes()));
  }
}
