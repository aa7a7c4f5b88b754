package dev.millpond.engine.worker.forked;

import dev.millpond.engine.Fleet;
import dev.millpond.engine.Millpond;
import dev.millpond.engine.MillpondConfig;
import java.io.IOException;

/** A worker in a process of its own, to be killed. */
final class ForkedParent {
  private ForkedParent() {}

  /**
   * The program; it ends with its standard input.
   *
   * @param args URL of PostgreSQL
   */
  public static void main(String[] args) throws IOException {
    MillpondConfig config = MillpondConfig.of(args[0]).withTiming(Fleet.TIMING).withSlots(2);
    try (Millpond worker = Millpond.connect(config)) {
      worker.registerModule(new ChildHandlersModule());
      worker.startWorker();
      System.in.transferTo(java.io.OutputStream.nullOutputStream());
    }
  }
}
