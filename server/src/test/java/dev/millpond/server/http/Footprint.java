package dev.millpond.server.http;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/**
 * What this process holds.
 *
 * @param heapBytes after collections
 * @param rssBytes memory in use; 0 where the system does not say
 * @param files open ones, connections among them; 0 where the system does not say
 */
record Footprint(long heapBytes, long rssBytes, int threads, long files) {
  private static final Path STATUS = Path.of("/proc/self/status");
  private static final Path FILES = Path.of("/proc/self/fd");

  static Footprint now() throws IOException {
    return new Footprint(
        heap(), rss(), ManagementFactory.getThreadMXBean().getThreadCount(), openFiles());
  }

  private static long heap() {
    long least = Long.MAX_VALUE;
    for (int i = 0; i < 3; i++) {
      System.gc();
      Runtime runtime = Runtime.getRuntime();
      least = Math.min(least, runtime.totalMemory() - runtime.freeMemory());
    }
    return least;
  }

  private static long rss() throws IOException {
    if (!Files.exists(STATUS)) {
      return 0;
    }
    try (Stream<String> lines = Files.lines(STATUS)) {
      return lines
          .filter(line -> line.startsWith("VmRSS:"))
          .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) * 1024)
          .findFirst()
          .orElse(0);
    }
  }

  private static long openFiles() throws IOException {
    if (!Files.exists(FILES)) {
      return 0;
    }
    try (Stream<Path> open = Files.list(FILES)) {
      return open.count();
    }
  }

  @Override
  public String toString() {
    return "heap %d MiB, RSS %d MiB, %d threads, %d files"
        .formatted(heapBytes >> 20, rssBytes >> 20, threads, files);
  }
}
