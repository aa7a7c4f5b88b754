package dev.millpond.bench.peer;

import dev.millpond.bench.servers.LoadThreads;
import dev.millpond.bench.servers.Pause;
import org.HdrHistogram.ConcurrentHistogram;
import org.HdrHistogram.Histogram;

/**
 * Callers, a virtual thread each, that submit as fast as their calls return, until stopped. Where a
 * worker runs they hold back at {@link #OPEN_MAX} jobs that are not completed.
 */
final class PeerLoad implements AutoCloseable {
  private static final int OPEN_MAX = 10_000;

  private final PeerBed bed;
  private final int callers;
  private final int listSize;
  private final boolean bounded;
  private final Histogram ackMicros = new ConcurrentHistogram(60_000_000L, 3);
  private final LoadThreads threads = new LoadThreads();

  /**
   * @param listSize of each call; 1 for jobs one by one
   * @param bounded whether to hold back for the worker
   */
  PeerLoad(PeerBed bed, int callers, int listSize, boolean bounded) {
    this.bed = bed;
    this.callers = callers;
    this.listSize = listSize;
    this.bounded = bounded;
  }

  void start() {
    for (int i = 0; i < callers; i++) {
      threads.add(Thread.ofVirtual().start(this::call));
    }
  }

  /** Time from a call to its return, in microseconds. */
  Histogram ackMicros() {
    return ackMicros;
  }

  private void call() {
    try {
      while (!threads.stopped()) {
        while (bounded && !threads.stopped() && bed.acknowledged() - bed.completed() > OPEN_MAX) {
          Pause.micros(200);
        }
        long began = System.nanoTime();
        if (listSize == 1) {
          bed.submit();
        } else {
          bed.submitAll(listSize);
        }
        ackMicros.recordValue(Math.clamp((System.nanoTime() - began) / 1_000, 0, 59_000_000));
      }
    } catch (RuntimeException e) {
      threads.failed(e);
    }
  }

  /**
   * Lets the calls in flight end.
   *
   * @throws IllegalStateException when one of them failed
   */
  void stop() throws InterruptedException {
    threads.stop();
  }

  /** Lets the calls in flight end, whether one of them failed or not. */
  @Override
  public void close() {
    threads.close();
  }
}
