package dev.millpond.engine.admission;

/**
 * What is in a queue, or may come into it.
 *
 * @param bytes of the jobs' payloads
 */
public record Amount(long jobs, long bytes) {
  public static final Amount NONE = new Amount(0, 0);

  public Amount plus(Amount more) {
    return new Amount(jobs + more.jobs, bytes + more.bytes);
  }

  /** Of a measure without a mark as much is left as before. */
  Amount minus(Amount less) {
    return new Amount(left(jobs, less.jobs), left(bytes, less.bytes));
  }

  private static long left(long of, long less) {
    return of == Long.MAX_VALUE ? of : of - less;
  }

  /** Whether there is nothing left of one or the other. */
  boolean exhausted() {
    return jobs <= 0 || bytes <= 0;
  }

  /** Whether so much of both is there. */
  boolean covers(Amount asked) {
    return jobs >= asked.jobs && bytes >= asked.bytes;
  }
}
