package dev.millpond.bench.servers;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * CPU time and memory that processes use, as Linux counts them in {@code /proc/<pid>} (CPU in ticks
 * of 10 ms). Elsewhere, and for servers on other machines, there is no answer. Stateless.
 */
public final class Processes {
  /** USER_HZ, which is 100 on every Linux since 2.6. */
  private static final double TICKS_PER_SECOND = 100;

  /** Positions behind the command's closing bracket. */
  private static final int PARENT = 1;

  private static final int USER = 11;
  private static final int CHILDREN_SYSTEM = 14;

  private Processes() {}

  /** Seconds of this JVM. */
  public static double self() {
    return ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getProcessCpuTime()
        / 1e9;
  }

  /**
   * Seconds of a process, its children that have ended, and its children that live: all of a
   * PostgreSQL by its postmaster. Null when the process cannot be looked at.
   */
  public static @Nullable Double tree(long pid) {
    return tree(pid, true);
  }

  /**
   * The same.
   *
   * @param withLiving whether living children count, or else only those that have ended
   */
  public static @Nullable Double tree(long pid, boolean withLiving) {
    String[] root = stat(Long.toString(pid));
    if (pid <= 0 || root == null) {
      return null;
    }
    double ticks = ticks(root);
    if (!withLiving) {
      return ticks / TICKS_PER_SECOND;
    }
    try (var processes = Files.newDirectoryStream(Path.of("/proc"), "[0-9]*")) {
      for (Path process : processes) {
        String[] stat = stat(process.getFileName().toString());
        if (stat != null && Long.parseLong(stat[PARENT]) == pid) {
          ticks += ticks(stat);
        }
      }
    } catch (IOException e) {
      return null;
    }
    return ticks / TICKS_PER_SECOND;
  }

  /** Resident memory of a process; 0 when it cannot be looked at. */
  public static long residentBytes(long pid) {
    try (var lines = Files.lines(Path.of("/proc", Long.toString(pid), "status"))) {
      return lines
          .filter(line -> line.startsWith("VmRSS:"))
          .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) * 1_024)
          .findFirst()
          .orElse(0);
    } catch (IOException | UncheckedIOException e) {
      return 0;
    }
  }

  /** The parent of a local process whose name begins like this; 0 when there is none. */
  public static long parent(long pid, String name) {
    String[] stat = stat(Long.toString(pid));
    return stat != null && isNamed(pid, name) ? Long.parseLong(stat[PARENT]) : 0;
  }

  /** Whether a local process has this name. */
  public static boolean isNamed(long pid, String name) {
    try {
      return Files.readString(Path.of("/proc", Long.toString(pid), "comm")).startsWith(name);
    } catch (IOException e) {
      return false;
    }
  }

  private static double ticks(String[] stat) {
    double ticks = 0;
    for (int i = USER; i <= CHILDREN_SYSTEM; i++) {
      ticks += Long.parseLong(stat[i]);
    }
    return ticks;
  }

  private static String @Nullable [] stat(String pid) {
    try {
      String text = Files.readString(Path.of("/proc", pid, "stat"), StandardCharsets.ISO_8859_1);
      return text.substring(text.lastIndexOf(')') + 2).split(" ", -1);
    } catch (IOException e) {
      return null; // ended meanwhile, or no Linux
    }
  }
}
