package dev.millpond.server.http.events;

import dev.millpond.engine.Millpond;
import dev.millpond.engine.query.Activity;
import dev.millpond.server.http.health.Readiness;
import dev.millpond.server.http.problem.Problem;
import dev.millpond.server.http.problem.ProblemException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The state of the fleet, once a second, for all who look. A frame is made once for all viewers,
 * and none while there is no viewer. A viewer that reads slower than that misses frames: nothing is
 * kept for it, so it costs what a fast one does. Thread-safe.
 */
public final class Frames implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Frames.class);

  /** Viewers at once; each has a connection and a thread. */
  static final int VIEWERS_MAX = 50;

  /** Points of charts that are kept for who comes later. */
  static final int POINTS_MAX = 300;

  private static final long EVERY_NANOS = Duration.ofSeconds(1).toNanos();

  private final Millpond millpond;
  private final Readiness readiness;
  private final DoctorLook doctor;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition news = lock.newCondition();
  private final Deque<Point> points = new ArrayDeque<>();
  private byte[] frame = new byte[0];
  private long number;
  private int viewers;
  private boolean making;
  private boolean closed;

  /** What a chart shows of one second. */
  record Point(long number, String json) {}

  Frames(Millpond millpond, Readiness readiness, DoctorLook doctor) {
    this.millpond = millpond;
    this.readiness = readiness;
    this.doctor = doctor;
  }

  /**
   * Begins to look.
   *
   * @throws ProblemException 503 when too many do
   */
  Viewer join() {
    lock.lock();
    try {
      if (closed || viewers >= VIEWERS_MAX) {
        throw tooMany(closed ? "This server stops" : VIEWERS_MAX + " viewers look already");
      }
      viewers++;
      if (!making) {
        making = true;
        Thread.ofPlatform()
            .name("millpond-frames-" + millpond.nodeId())
            .daemon(true)
            .start(this::make);
      }
      return new Viewer(number);
    } finally {
      lock.unlock();
    }
  }

  /** 503 for a viewer who finds no place. */
  static ProblemException tooMany(String detail) {
    return new ProblemException(
        Problem.of(503, "too-many-viewers", detail)
            .remedy("Close some dashboards, or look through another server")
            .header("Retry-After", "10"));
  }

  /** The points after a number, oldest first; all that are kept when it is not among them. */
  List<Point> pointsAfter(long after) {
    lock.lock();
    try {
      boolean known = !points.isEmpty() && after <= points.getLast().number();
      return points.stream().filter(point -> !known || point.number() > after).toList();
    } finally {
      lock.unlock();
    }
  }

  private void make() {
    long due = System.nanoTime();
    while (wanted(due)) {
      due = Math.max(due + EVERY_NANOS, System.nanoTime());
      try {
        FleetState state = FleetState.read(millpond, readiness);
        byte[] next = FrameWriter.frame(state, FleetRules.of(state, doctor.findings()));
        Activity activity = state.activity();
        publish(next, activity == null ? null : FrameWriter.point(state, activity));
      } catch (RuntimeException e) {
        log.warn("The state of the fleet could not be shown", e);
      }
    }
  }

  /** Waits until it is time; false when nobody looks any more. */
  private boolean wanted(long dueNanos) {
    lock.lock();
    try {
      for (long left = dueNanos - System.nanoTime();
          left > 0 && !closed && viewers > 0;
          left = dueNanos - System.nanoTime()) {
        news.awaitNanos(left);
      }
      making = !closed && viewers > 0;
      return making;
    } catch (InterruptedException e) {
      making = false;
      return false;
    } finally {
      lock.unlock();
    }
  }

  private void publish(byte[] next, @Nullable String point) {
    lock.lock();
    try {
      number++;
      frame = next;
      if (point != null) {
        points.addLast(new Point(number, point));
        if (points.size() > POINTS_MAX) {
          points.removeFirst();
        }
      }
      news.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Lets all viewers go. */
  @Override
  public void close() {
    lock.lock();
    try {
      closed = true;
      news.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** One who looks. For one thread. */
  final class Viewer implements AutoCloseable {
    private long seen;

    private Viewer(long seen) {
      this.seen = seen;
    }

    /** The newest frame that it has not seen; empty when there is none in time, null at the end. */
    byte @Nullable [] next(Duration within) throws InterruptedException {
      lock.lock();
      try {
        long left = within.toNanos();
        while (!closed && number == seen && left > 0) {
          left = news.awaitNanos(left);
        }
        if (closed) {
          return null;
        }
        boolean fresh = number != seen;
        seen = number;
        return fresh ? frame : new byte[0];
      } finally {
        lock.unlock();
      }
    }

    /** Stops to look. */
    @Override
    public void close() {
      lock.lock();
      try {
        viewers--;
        news.signalAll();
      } finally {
        lock.unlock();
      }
    }
  }
}
