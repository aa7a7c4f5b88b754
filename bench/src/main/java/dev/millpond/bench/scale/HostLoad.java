package dev.millpond.bench.scale;

import dev.millpond.api.JobRequest;
import dev.millpond.api.SubmitResult;
import dev.millpond.api.UnavailableException;
import dev.millpond.engine.Millpond;
import dev.millpond.engine.query.QueueView;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import org.HdrHistogram.ConcurrentHistogram;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/**
 * Producers of a host. They hold back while the queue is deep, and go on after a submit that had no
 * answer. Thread-safe but for start and stop.
 */
final class HostLoad {
  static final String KIND = "scale.work";

  /** Makes a payload of about 210 bytes of JSON. */
  private static final String TEXT = "x".repeat(180);

  private static final int DEPTH_MAX = 20_000;
  private static final long DEPTH_LOOK_NANOS = 50_000_000;
  private static final long AFTER_FAILURE_NANOS = 20_000_000;
  private static final int LISTS_IN_FLIGHT = 4;

  /** Ids that are kept to be asked for at the end. */
  private static final int TOLD_MAX = 200_000;

  private static final int MIXED_CALLERS = 64;

  private final Millpond millpond;
  private final LongAdder acknowledged = new LongAdder();
  private final LongAdder unanswered = new LongAdder();
  private final AtomicInteger toldCount = new AtomicInteger();
  private final ConcurrentLinkedQueue<UUID> told = new ConcurrentLinkedQueue<>();
  private final Histogram answerMicros = new ConcurrentHistogram(60_000_000L, 3);
  private final List<Thread> threads = new ArrayList<>();
  private volatile boolean stopped = true;
  private volatile boolean deep;

  /**
   * What a job carries.
   *
   * @param millis it takes
   */
  record Payload(int millis, String text) {}

  /** How jobs are handed in. */
  enum Shape {
    /** So many callers, each with one job at a time. */
    CALLERS,
    /** One producer with lists of so many jobs. */
    LISTS,
    /** So many jobs a second that take 0 to 50 ms, a few of them longer than a batch may live. */
    MIXED
  }

  HostLoad(Millpond millpond) {
    this.millpond = millpond;
  }

  /** For a role that must have one. */
  static HostLoad present(@Nullable HostLoad load) {
    if (load == null) {
      throw new IllegalStateException("only a host with the role API submits");
    }
    return load;
  }

  void start(Shape shape, int size) {
    stopped = false;
    answerMicros.reset();
    threads.add(Thread.ofPlatform().daemon().start(this::watchDepth));
    switch (shape) {
      case CALLERS -> {
        for (int i = 0; i < size; i++) {
          threads.add(Thread.ofVirtual().start(this::callOneByOne));
        }
      }
      case LISTS -> threads.add(Thread.ofPlatform().daemon().start(() -> submitLists(size)));
      case MIXED -> {
        for (int i = 0; i < MIXED_CALLERS; i++) {
          threads.add(Thread.ofVirtual().start(() -> callMixed(size)));
        }
      }
    }
  }

  /** Ends the load and waits for the calls in flight. */
  void stop() {
    stopped = true;
    for (Thread thread : threads) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      }
    }
    threads.clear();
  }

  private void watchDepth() {
    while (!stopped) {
      try {
        deep = millpond.queues().stream().mapToLong(QueueView::depth).sum() > DEPTH_MAX;
      } catch (RuntimeException e) {
        deep = false; // the database is away; the submits will find out by themselves
      }
      LockSupport.parkNanos(DEPTH_LOOK_NANOS);
    }
  }

  private void callOneByOne() {
    JobRequest request = JobRequest.of(KIND, new Payload(0, TEXT));
    while (!stopped) {
      holdBack();
      call(request);
    }
  }

  private void callMixed(int perSecond) {
    long gapNanos = 1_000_000_000L * MIXED_CALLERS / perSecond;
    long next = System.nanoTime() + ThreadLocalRandom.current().nextLong(gapNanos);
    while (!stopped) {
      for (long left = next - System.nanoTime(); left > 0; left = next - System.nanoTime()) {
        LockSupport.parkNanos(left);
      }
      next = Math.max(next + gapNanos, System.nanoTime() - gapNanos);
      int dice = ThreadLocalRandom.current().nextInt(1_000);
      int millis = dice < 5 ? 2_000 : dice < 100 ? 50 : dice < 300 ? 5 : 0;
      UUID id = call(JobRequest.of(KIND, new Payload(millis, TEXT)));
      if (id != null && toldCount.incrementAndGet() <= TOLD_MAX) {
        told.add(id);
      }
    }
  }

  /** Submits; the id, or null when there was no answer. */
  private @Nullable UUID call(JobRequest request) {
    long began = System.nanoTime();
    try {
      SubmitResult result = millpond.submit(request);
      acknowledge(List.of(result), began);
      return result instanceof SubmitResult.Accepted accepted ? accepted.id() : null;
    } catch (UnavailableException e) {
      unanswered.increment();
      LockSupport.parkNanos(AFTER_FAILURE_NANOS);
      return null;
    }
  }

  private void submitLists(int size) {
    Semaphore room = new Semaphore(LISTS_IN_FLIGHT);
    List<JobRequest> requests = new ArrayList<>(size);
    for (int i = 0; i < size; i++) {
      requests.add(JobRequest.of(KIND, new Payload(0, TEXT)));
    }
    while (!stopped) {
      holdBack();
      room.acquireUninterruptibly();
      long began = System.nanoTime();
      var unused =
          millpond
              .submitAsync(requests)
              .whenComplete((results, error) -> {
                if (error == null) {
                  acknowledge(results, began);
                } else {
                  unanswered.add(size);
                }
                room.release();
              });
    }
    room.acquireUninterruptibly(LISTS_IN_FLIGHT);
  }

  private void holdBack() {
    while (deep && !stopped) {
      LockSupport.parkNanos(1_000_000);
    }
  }

  private void acknowledge(List<SubmitResult> results, long beganNanos) {
    answerMicros.recordValue(Math.clamp((System.nanoTime() - beganNanos) / 1_000, 0, 59_000_000));
    for (SubmitResult result : results) {
      if (!(result instanceof SubmitResult.Accepted)) {
        throw new IllegalStateException("not accepted: " + result);
      }
    }
    acknowledged.add(results.size());
  }

  long acknowledged() {
    return acknowledged.sum();
  }

  long unanswered() {
    return unanswered.sum();
  }

  /** Ids of the mixed load that were acknowledged, up to {@link #TOLD_MAX} of them. */
  Set<UUID> told() {
    return new HashSet<>(told);
  }

  Histogram answerMicros() {
    return answerMicros;
  }
}
