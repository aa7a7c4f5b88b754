package dev.millpond.chaos.fleet;

import java.io.IOException;
import java.util.List;

/**
 * A process under SIGSTOP, until it is closed. A shell that reads from this process wakes it, so
 * that it also goes on, to meet its own end, when this process is killed.
 */
public final class Frozen implements AutoCloseable {
  private final Process waker;

  private Frozen(Process waker) {
    this.waker = waker;
  }

  /** Stops a process where it is. */
  public static Frozen freeze(long pid) {
    try {
      Process waker =
          new ProcessBuilder(
                  List.of("sh", "-c", "read -r _; kill -s CONT \"$0\"", Long.toString(pid)))
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start();
      Signals.send("STOP", pid);
      return new Frozen(waker);
    } catch (IOException e) {
      throw new FleetException("Cannot freeze " + pid, e);
    }
  }

  /** Lets it go on. */
  @Override
  public void close() {
    try {
      waker.getOutputStream().close();
      waker.waitFor();
    } catch (IOException e) {
      throw new FleetException("Cannot wake a process", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
