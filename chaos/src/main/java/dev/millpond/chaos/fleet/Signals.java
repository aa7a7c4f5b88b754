package dev.millpond.chaos.fleet;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Signals that Java cannot send. Stateless. */
public final class Signals {
  private static final long PATIENCE_SECONDS = 5;

  private Signals() {}

  /** Sends a signal by name ({@code STOP}); a process that is gone is fine. */
  public static void send(String signal, long pid) {
    try {
      Process kill =
          new ProcessBuilder(List.of("kill", "-s", signal, Long.toString(pid)))
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start();
      kill.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS);
    } catch (IOException e) {
      throw new FleetException("Cannot send SIG" + signal + " to " + pid, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new FleetException("Interrupted while sending SIG" + signal, e);
    }
  }
}
