package dev.millpond.server.doctor;

import java.nio.file.Path;
import java.util.List;

/** The JVM that this process runs on, which is the servers' when they are started the same way. */
final class JavaCheck {
  /** Set by the launcher: the cache it starts the JVM from, or nothing. */
  private static final String START_CACHE = "millpond.start.cache";

  /** From here up, synchronized blocks no longer hold a carrier thread (JEP 491). */
  private static final int NO_PINNING = 24;

  private JavaCheck() {}

  static List<Finding> run() {
    Runtime.Version version = Runtime.version();
    Finding java =
        version.feature() >= NO_PINNING
            ? Finding.ok("java.version", version.toString())
            : Finding.info(
                "java.version",
                version.toString(),
                "before 24, handlers that wait inside synchronized blocks hold a carrier thread",
                "Install a JDK from 25 up");
    String cache = System.getProperty(START_CACHE);
    if (cache == null) {
      return List.of(java); // Not started by the launcher.
    }
    Finding start =
        cache.isEmpty()
            ? Finding.info(
                "java.start-cache",
                "none for this build and JDK",
                "a server takes two to three times as long to start",
                "./millpond prepare")
            : Finding.ok("java.start-cache", String.valueOf(Path.of(cache).getFileName()));
    return List.of(java, start);
  }
}
