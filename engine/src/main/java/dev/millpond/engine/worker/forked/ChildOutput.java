package dev.millpond.engine.worker.forked;

import dev.millpond.api.Limits;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What a child and its own children print: the first lines go to the job's log, the last ones are
 * kept for the error of a child that dies. Read for as long as anybody writes, since a full pipe
 * would stop the child; but a run that prints without end is read slowly, and so prints slowly.
 *
 * <p>A run's output ends with its mark, a line that the child writes last.
 */
final class ChildOutput {
  /** Lines of one run that go to the job's log, apart from those that the handler logs. */
  static final int LINES = 200;

  static final String PREFIX = "out: ";
  private static final int LAST_LINES = 20;
  private static final int LAST_LINE_CHARS = 400;
  private static final int CHUNK = 64 * 1024;

  /** After so many bytes of one run, a chunk is read each {@link #SLOW_MILLIS}. */
  private static final long FREE_BYTES = 1 << 20;

  private static final long SLOW_MILLIS = 5;

  private final InputStream in;
  private final Deque<String> last = new ArrayDeque<>();
  private final ByteArrayOutputStream line = new ByteArrayOutputStream(256);
  private @Nullable Consumer<String> sink;
  private String mark = "";
  private CountDownLatch marked = new CountDownLatch(0);
  private int lines;
  private long bytes;
  private boolean hurried;

  ChildOutput(InputStream in) {
    this.in = in;
  }

  /** Reads until the last writer is gone. */
  void read() {
    byte[] chunk = new byte[CHUNK];
    try {
      for (int count = in.read(chunk); count >= 0; count = in.read(chunk)) {
        if (take(chunk, count)) {
          TimeUnit.MILLISECONDS.sleep(SLOW_MILLIS);
        }
      }
    } catch (IOException e) {
      // The pipe was closed with the process.
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    synchronized (this) {
      endLine();
      marked.countDown();
    }
  }

  /** Whether to go on slowly. */
  private synchronized boolean take(byte[] chunk, int count) {
    for (int i = 0; i < count; i++) {
      if (chunk[i] == '\n') {
        endLine();
      } else if (line.size() < Limits.LOG_LINE_BYTES) {
        line.write(chunk[i]);
      }
    }
    bytes += count;
    return bytes > FREE_BYTES && !hurried;
  }

  private void endLine() {
    String text = line.toString(StandardCharsets.UTF_8).stripTrailing();
    line.reset();
    if (text.isEmpty()) {
      return;
    }
    if (text.equals(mark)) {
      sink = null;
      mark = "";
      marked.countDown();
      return;
    }
    if (last.size() == LAST_LINES) {
      last.removeFirst();
    }
    last.addLast(text.length() > LAST_LINE_CHARS ? text.substring(0, LAST_LINE_CHARS) : text);
    Consumer<String> to = sink;
    if (to != null && lines <= LINES) {
      to.accept(lines == LINES ? PREFIX + "more output is not kept" : PREFIX + text);
      lines++;
    }
  }

  /**
   * What is printed from now on belongs to this run.
   *
   * @param newMark the line that ends it
   */
  synchronized void begin(Consumer<String> newSink, String newMark) {
    sink = newSink;
    mark = newMark;
    marked = new CountDownLatch(1);
    lines = 0;
    bytes = 0;
    hurried = false;
    last.clear();
  }

  /** Waits for the run's mark; false when it does not come. */
  boolean awaitMark(long millis) throws InterruptedException {
    CountDownLatch wanted;
    synchronized (this) {
      wanted = marked;
      hurried = true;
    }
    return wanted.await(millis, TimeUnit.MILLISECONDS);
  }

  /** The last lines of the run, oldest first. */
  synchronized String last() {
    return String.join("\n", last);
  }
}
