package dev.millpond.bench.scenario;

import dev.millpond.api.JobRequest;
import dev.millpond.bench.servers.LoadThreads;
import dev.millpond.bench.servers.Pause;
import java.util.List;
import java.util.concurrent.Semaphore;
import org.HdrHistogram.ConcurrentHistogram;
import org.HdrHistogram.Histogram;

/**
 * Producers that submit as fast as their calls return, until stopped. Where a worker runs they hold
 * back at {@link Bed#openMost} jobs that are not completed, so that the measure is of a steady
 * state and not of a growing backlog.
 */
final class Load implements AutoCloseable {
  private final Bed bed;
  private final Shape shape;
  private final boolean bounded;
  private final Histogram ackMicros = new ConcurrentHistogram(60_000_000L, 3);
  private final LoadThreads threads = new LoadThreads();
  private final int openMost;

  /** How jobs are handed in. */
  sealed interface Shape {
    /** Callers that submit one job at a time and wait for its commit; a virtual thread each. */
    record OneByOne(int callers) implements Shape {}

    /** Producers that submit lists, each with some calls in flight. */
    record Lists(int size, int producers, int inFlight) implements Shape {}
  }

  /**
   * @param bounded whether to hold back for the worker
   */
  Load(Bed bed, Shape shape, boolean bounded) {
    this.bed = bed;
    this.shape = shape;
    this.bounded = bounded;
    this.openMost = bed.openMost();
  }

  void start() {
    switch (shape) {
      case Shape.OneByOne one -> {
        for (int i = 0; i < one.callers(); i++) {
          threads.add(Thread.ofVirtual().start(this::callOneByOne));
        }
      }
      case Shape.Lists lists -> {
        for (int i = 0; i < lists.producers(); i++) {
          threads.add(Thread.ofPlatform().start(() -> submitLists(lists)));
        }
      }
    }
  }

  /** Time from a call to its acknowledgement, in microseconds. */
  Histogram ackMicros() {
    return ackMicros;
  }

  private void callOneByOne() {
    try {
      while (!threads.stopped()) {
        holdBack();
        JobRequest request = bed.request();
        long began = System.nanoTime();
        bed.acknowledge(List.of(bed.millpond().submit(request)));
        record(began);
      }
    } catch (RuntimeException e) {
      threads.failed(e);
    }
  }

  private void submitLists(Shape.Lists lists) {
    Semaphore room = new Semaphore(lists.inFlight());
    try {
      while (!threads.stopped() && !threads.hasFailed()) {
        holdBack();
        room.acquireUninterruptibly();
        List<JobRequest> requests = bed.requests(lists.size());
        long began = System.nanoTime();
        var unused =
            bed.millpond()
                .submitAsync(requests)
                .whenComplete((results, error) -> {
                  if (error != null) {
                    threads.failed(error);
                  } else {
                    bed.acknowledge(results);
                    record(began);
                  }
                  room.release();
                });
      }
    } catch (RuntimeException e) {
      threads.failed(e);
      return;
    }
    room.acquireUninterruptibly(lists.inFlight());
  }

  private void holdBack() {
    while (bounded && !threads.stopped() && bed.acknowledged() - bed.completed() > openMost) {
      Pause.micros(200);
    }
  }

  private void record(long beganNanos) {
    ackMicros.recordValue(Math.clamp((System.nanoTime() - beganNanos) / 1_000, 0, 59_000_000));
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
