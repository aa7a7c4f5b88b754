package dev.millpond.faults;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One direction of a {@link Link}: bytes go on as its {@link Way} says at that time, in order. As
 * long as the way is clear the sender writes by itself. Otherwise bytes wait here, {@value
 * #HELD_MAX_BYTES} of them at most, and a thread of the pipe's own writes; then the sender waits,
 * as TCP would make it. One sender; all else from any thread.
 */
final class Pipe {
  static final int HELD_MAX_BYTES = 256 << 10;

  private final OutputStream out;
  private final Supplier<Way> way;
  private final Runnable end;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final Deque<Chunk> chunks = new ArrayDeque<>();
  private long heldBytes;
  private boolean writing;
  private boolean closed;

  // The writer's.
  private int lastSliceBytes;
  private long lastSliceNanos = System.nanoTime();

  /** An empty one says that the sender has ended. */
  @SuppressWarnings("ArrayRecordComponent") // passed on, never compared
  private record Chunk(byte[] bytes, long cameNanos, double luck) {
    static Chunk of(byte[] bytes) {
      return new Chunk(bytes, System.nanoTime(), ThreadLocalRandom.current().nextDouble());
    }
  }

  /**
   * A pipe that is empty.
   *
   * @param end done when the end of what was sent has got through, or bytes cannot
   */
  Pipe(OutputStream out, Supplier<Way> way, Runnable end) {
    this.out = out;
    this.way = way;
    this.end = end;
  }

  void send(byte[] bytes, int from, int length) throws IOException {
    if (length > 0 && !held(bytes, from, length)) {
      out.write(bytes, from, length);
    }
  }

  /** Says that nothing more will be sent. It arrives after what was. */
  void sendEnd() {
    boolean now;
    lock.lock();
    try {
      now = closed || isOpenRoad();
      if (!now) {
        hold(new byte[0]);
      }
    } finally {
      lock.unlock();
    }
    if (now) {
      end.run();
    }
  }

  /** Waits until all that was sent has been written. */
  void drain() throws IOException {
    lock.lock();
    try {
      while (!closed && !chunks.isEmpty()) {
        changed.await();
      }
    } catch (InterruptedException e) {
      throw interrupted();
    } finally {
      lock.unlock();
    }
  }

  /** Looks at its way anew. */
  void wayChanged() {
    lock.lock();
    try {
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Drops what it holds. The stream is the caller's to close. */
  void close() {
    lock.lock();
    try {
      closed = true;
      chunks.clear();
      heldBytes = 0;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private boolean held(byte[] bytes, int from, int length) throws IOException {
    lock.lock();
    try {
      while (!closed && heldBytes > 0 && heldBytes + length > HELD_MAX_BYTES) {
        changed.await();
      }
      if (closed) {
        throw new IOException("the pipe is closed");
      }
      if (isOpenRoad()) {
        return false;
      }
      hold(Arrays.copyOfRange(bytes, from, from + length));
      return true;
    } catch (InterruptedException e) {
      throw interrupted();
    } finally {
      lock.unlock();
    }
  }

  private boolean isOpenRoad() {
    return chunks.isEmpty() && way.get().isClear();
  }

  private void hold(byte[] bytes) {
    chunks.addLast(Chunk.of(bytes));
    heldBytes += bytes.length;
    changed.signalAll();
    if (!writing) {
      writing = true;
      FaultProxy.THREADS.execute(this::write);
    }
  }

  /** The writer. It stays until the end, for a way that is slow once is slow for a while. */
  private void write() {
    try {
      for (Chunk chunk = awaitDue(); chunk != null; chunk = awaitDue()) {
        if (chunk.bytes().length == 0) {
          end.run();
          return;
        }
        writeSlices(chunk.bytes());
        written(chunk);
      }
    } catch (IOException | InterruptedException e) {
      close();
      end.run();
    }
  }

  /** The next chunk, which stays here until it is written; null when the pipe is closed. */
  private @Nullable Chunk awaitDue() throws InterruptedException {
    lock.lock();
    try {
      while (!closed) {
        Chunk next = chunks.peekFirst();
        Way now = way.get();
        if (next == null || now.silent()) {
          changed.await();
          continue;
        }
        long left = now.dueNanos(next.cameNanos(), next.luck()) - System.nanoTime();
        if (left <= 0) {
          return next;
        }
        changed.awaitNanos(left);
      }
      return null;
    } finally {
      lock.unlock();
    }
  }

  private void writeSlices(byte[] bytes) throws IOException, InterruptedException {
    int written = 0;
    int slice = awaitSlice(bytes.length);
    while (slice > 0) {
      out.write(bytes, written, slice);
      lastSliceBytes = slice;
      lastSliceNanos = System.nanoTime();
      written += slice;
      slice = written == bytes.length ? 0 : awaitSlice(bytes.length - written);
    }
  }

  /**
   * Waits until the way lets a slice on, for the part of a pause that the last one has cost.
   *
   * @return how many bytes it may have; 0 when the pipe is closed
   */
  private int awaitSlice(int left) throws InterruptedException {
    lock.lock();
    try {
      while (!closed) {
        Way now = way.get();
        if (now.silent()) {
          changed.await();
          continue;
        }
        int most = now.sliceBytes();
        if (most == 0) {
          return left;
        }
        long pause = now.slicePause().toNanos() * Math.min(lastSliceBytes, most) / most;
        long wait = lastSliceNanos + pause - System.nanoTime();
        if (wait <= 0) {
          return Math.min(left, most);
        }
        changed.awaitNanos(wait);
      }
      return 0;
    } finally {
      lock.unlock();
    }
  }

  private void written(Chunk chunk) {
    lock.lock();
    try {
      if (!closed) {
        chunks.removeFirst();
        heldBytes -= chunk.bytes().length;
        changed.signalAll();
      }
    } finally {
      lock.unlock();
    }
  }

  private static InterruptedIOException interrupted() {
    Thread.currentThread().interrupt();
    return new InterruptedIOException("the proxy closes");
  }
}
