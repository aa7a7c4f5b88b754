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

  Amount minus(Amount less) {
    return new Amount(jobs - less.jobs, bytes - less.bytes);
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
