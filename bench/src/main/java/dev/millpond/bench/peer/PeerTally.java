package dev.millpond.bench.peer;

import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.LongAdder;
import org.HdrHistogram.ConcurrentHistogram;
import org.HdrHistogram.Histogram;

/** Counts what a peer's handler and its listener report. Thread-safe. */
public final class PeerTally {
  /** Numbers of jobs that can be told apart. */
  static final int JOBS_MAX = 1 << 24;

  private final AtomicLongArray seen = new AtomicLongArray(JOBS_MAX / Long.SIZE);
  private final LongAdder runs = new LongAdder();
  private final LongAdder distinct = new LongAdder();
  private final LongAdder ended = new LongAdder();
  private final Histogram startMicros = new ConcurrentHistogram(60_000_000L, 3);

  /** Called by the handler: the job runs. */
  public void ran(PeerJob job) {
    runs.increment();
    startMicros.recordValue(Math.clamp((System.nanoTime() - job.at()) / 1_000, 0, 59_000_000));
    long bit = 1L << (job.number() % Long.SIZE);
    if ((seen.getAndAccumulate(job.number() / Long.SIZE, bit, (a, b) -> a | b) & bit) == 0) {
      distinct.increment();
    }
  }

  /** Called when the good end of a job is committed. */
  public void ended() {
    ended.increment();
  }

  long runs() {
    return runs.sum();
  }

  /** Jobs that ran at least once. */
  long distinctRuns() {
    return distinct.sum();
  }

  long endedCount() {
    return ended.sum();
  }

  /** Time from the submit call to the handler, in microseconds. */
  Histogram startMicros() {
    return startMicros;
  }
}
