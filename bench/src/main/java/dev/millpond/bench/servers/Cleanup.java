package dev.millpond.bench.servers;

import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * Closes what a run has opened, the last first and each once: at its end, or when the program is
 * told to stop (Ctrl-C). Thread-safe.
 */
public final class Cleanup implements AutoCloseable {
  private final Deque<AutoCloseable> open = new ArrayDeque<>();
  private final Thread hook = new Thread(this::onStop, "bench-cleanup");
  private boolean hooked;
  private volatile boolean stopping;

  /** To be closed before what was added earlier. */
  public synchronized <T extends AutoCloseable> T add(T thing) {
    if (!hooked) {
      hooked = true;
      Runtime.getRuntime().addShutdownHook(hook);
    }
    open.push(thing);
    return thing;
  }

  /** Whether the program was told to stop: what fails from now on is of no interest. */
  public boolean stopping() {
    return stopping;
  }

  @Override
  public synchronized void close() {
    closeAll();
    if (hooked && !stopping) {
      try {
        Runtime.getRuntime().removeShutdownHook(hook);
      } catch (IllegalStateException e) {
        return; // it runs already
      }
    }
  }

  private void onStop() {
    stopping = true;
    System.err.println("stopping: servers, processes and data of this run go");
    // What was running sees its servers vanish and would say so at length.
    System.setErr(new PrintStream(OutputStream.nullOutputStream(), true, StandardCharsets.UTF_8));
    closeAll();
  }

  private synchronized void closeAll() {
    while (!open.isEmpty()) {
      try {
        open.pop().close();
      } catch (Exception e) {
        if (!stopping) {
          System.err.println("not closed in order: " + e);
        }
      }
    }
  }
}
