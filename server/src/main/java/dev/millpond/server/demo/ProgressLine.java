package dev.millpond.server.demo;

import java.io.IOException;
import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Locale;

/**
 * Shows how far a run has come: a bar that is drawn over itself on a terminal, else a plain line a
 * second at most. Thread-safe, so that other lines can be printed in between.
 */
final class ProgressLine {
  private static final int BAR_CHARS = 28;
  private static final Duration WINDOW = Duration.ofSeconds(5);
  private static final Duration PLAIN_EVERY = Duration.ofSeconds(1);

  private final PrintStream out;
  private final boolean terminal;
  private final int total;
  private final Deque<Sample> window = new ArrayDeque<>();
  private long lastPlainNanos = System.nanoTime() - PLAIN_EVERY.toNanos();
  private int lastDone = -1;
  private boolean barShown;

  private record Sample(long nanos, int done) {}

  ProgressLine(PrintStream out, boolean terminal, int total) {
    this.out = out;
    this.terminal = terminal;
    this.total = total;
  }

  /** Whether standard output is a terminal: the shell knows on every system and JDK. */
  static boolean onTerminal() {
    try {
      return new ProcessBuilder("sh", "-c", "test -t 1").inheritIO().start().waitFor() == 0;
    } catch (IOException e) {
      return false;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  /** Shows a new state. */
  synchronized void update(int done) {
    long now = System.nanoTime();
    window.addLast(new Sample(now, done));
    while (window.size() > 2 && now - window.getFirst().nanos() > WINDOW.toNanos()) {
      window.removeFirst();
    }
    String text = text(done, now);
    if (terminal) {
      int filled = (int) ((long) BAR_CHARS * done / total);
      String bar = "#".repeat(filled) + ".".repeat(BAR_CHARS - filled);
      out.print("\r[" + bar + "] " + text + "\u001b[K");
      out.flush();
      barShown = true;
    } else if (done != lastDone
        && (done == total || now - lastPlainNanos >= PLAIN_EVERY.toNanos())) {
      out.println(text);
      lastPlainNanos = now;
      lastDone = done;
    }
  }

  private String text(int done, long now) {
    Sample oldest = window.getFirst();
    double seconds = (now - oldest.nanos()) / 1e9;
    double rate = seconds > 0 ? (done - oldest.done()) / seconds : 0;
    String eta = "";
    if (done < total && rate > 0) {
      eta = "  ETA %d s".formatted((long) Math.ceil((total - done) / rate));
    }
    return String.format(
        Locale.ROOT, "%d/%d jobs  %d %%  %.0f/s%s", done, total, 100L * done / total, rate, eta);
  }

  /** Prints a line of its own, below which the bar goes on. */
  synchronized void say(String line) {
    if (barShown) {
      out.print("\r\u001b[K");
      barShown = false;
    }
    out.println(line);
  }

  /** Ends the bar's line. */
  synchronized void end() {
    if (barShown) {
      out.println();
      barShown = false;
    }
  }
}
