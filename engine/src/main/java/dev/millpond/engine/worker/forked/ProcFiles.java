package dev.millpond.engine.worker.forked;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** What Linux tells of processes in {@code /proc}. Stateless. */
final class ProcFiles {
  private static final Path PROC = Path.of("/proc");
  private static final int SESSION_FIELD = 3;
  private static final long KIB = 1024;

  private ProcFiles() {}

  /**
   * What a process takes.
   *
   * @param rssBytes memory in use
   * @param files open ones
   */
  record Vitals(long rssBytes, int threads, int files) {}

  /** Whether this system has what is read here. */
  static boolean readable() {
    return Files.isReadable(PROC.resolve("self/stat"));
  }

  /** What a process takes; empty when it is gone. */
  static Optional<Vitals> vitals(long pid) {
    Path process = PROC.resolve(Long.toString(pid));
    try {
      long rss = 0;
      int threads = 0;
      for (String line :
          Files.readAllLines(process.resolve("status"), StandardCharsets.ISO_8859_1)) {
        if (line.startsWith("VmRSS:")) {
          rss = number(line) * KIB;
        } else if (line.startsWith("Threads:")) {
          threads = (int) number(line);
        }
      }
      int files = 0;
      try (DirectoryStream<Path> descriptors = Files.newDirectoryStream(process.resolve("fd"))) {
        for (Path ignored : descriptors) {
          files++;
        }
      }
      return Optional.of(new Vitals(rss, threads, files));
    } catch (IOException | DirectoryIteratorException | NumberFormatException e) {
      return Optional.empty();
    }
  }

  private static long number(String line) {
    String digits = line.replaceAll("[^0-9]", "");
    return Long.parseLong(digits);
  }

  /** Whether a process is there, and no zombie. */
  static boolean alive(long pid) {
    return sessionOf(PROC.resolve(Long.toString(pid))) != -1;
  }

  /** The living processes of a session. Zombies are none. */
  static List<Long> session(long session) {
    List<Long> found = new ArrayList<>();
    try (DirectoryStream<Path> processes = Files.newDirectoryStream(PROC, "[0-9]*")) {
      for (Path process : processes) {
        if (sessionOf(process) == session) {
          found.add(Long.parseLong(String.valueOf(process.getFileName())));
        }
      }
    } catch (IOException | DirectoryIteratorException | NumberFormatException e) {
      return found; // what was found is ended, and the next look finds the rest
    }
    return found;
  }

  /** The session of a process, -1 when it is gone or a zombie. */
  private static long sessionOf(Path process) {
    try {
      String stat = Files.readString(process.resolve("stat"), StandardCharsets.ISO_8859_1);
      // The name in parentheses may hold anything; after it: state, parent, group, session.
      String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", SESSION_FIELD + 2);
      boolean ended = fields[0].equals("Z") || fields[0].equals("X");
      return ended ? -1 : Long.parseLong(fields[SESSION_FIELD]);
    } catch (IOException | RuntimeException e) {
      return -1;
    }
  }
}
