package dev.millpond.engine.worker.forked;

/** How a child process ended that should not have, while it ran a job. */
public enum ChildDeath {
  /** By itself: {@code System.exit}, {@code Runtime.halt}, or the end of its JVM. */
  EXITED("dev.millpond.ChildExited"),
  /** By a signal, such as that of a crash in native code. */
  SIGNALLED("dev.millpond.ChildSignalled"),
  /** The JVM ended because heap, metaspace or another of its memories was used up. */
  OUT_OF_MEMORY("dev.millpond.ChildOutOfMemory"),
  /** It took more memory, threads or files of the system than it may. */
  OVER_CEILING("dev.millpond.ChildOverCeiling"),
  /** What it sent was no frame. */
  GARBLED("dev.millpond.ChildGarbled");

  private final String type;

  ChildDeath(String type) {
    this.type = type;
  }

  /** The type of the attempt's error. */
  public String type() {
    return type;
  }
}
