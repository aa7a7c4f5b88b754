package dev.millpond.server.doctor;

import com.sun.management.UnixOperatingSystemMXBean;
import dev.millpond.engine.MillpondConfig;
import dev.millpond.engine.Sizing;
import java.lang.management.ManagementFactory;
import java.util.List;

/** What a server started here would take: processors, slots, heap, open files. */
final class SizingCheck {
  private static final long MEGABYTE = 1024 * 1024;

  /**
   * The two lanes of the writer may hold 32 MB of jobs each, large bodies a twelfth of the heap and
   * five times that while they are read, and an idle server takes some 100 MB.
   */
  private static final long HEAP_LEAST = 256 * MEGABYTE;

  /** Connections of clients that a server accepts, and its own files, jars and sockets. */
  private static final long FILES_WANTED = 10_000 + 1_000;

  private static final long FILES_LEAST = 1_024;

  private SizingCheck() {}

  static List<Finding> run(MillpondConfig config) {
    return List.of(
        slots(config.slots(), Sizing.here()),
        connections(Sizing.here(), config.redisUrls().size()),
        heap(Runtime.getRuntime().maxMemory()),
        files(openFilesMost()));
  }

  private static Finding slots(int slots, Sizing sizing) {
    String found = slots + " slots on " + sizing.processors() + " processors";
    return slots < sizing.processors()
        ? Finding.info(
            "sizing.slots",
            found,
            "a worker with fewer slots than processors leaves some of them idle",
            "Leave millpond.worker.slots out: then it is " + sizing.slots())
        : Finding.ok("sizing.slots", found);
  }

  private static Finding connections(Sizing sizing, int redisServers) {
    return Finding.ok(
        "sizing.connections",
        "at most %d to PostgreSQL a process: pool %d, transactions of handlers %d, hot ones %d"
            .formatted(
                sizing.connectionsMost(redisServers),
                sizing.pool(),
                sizing.handlerPool(),
                sizing.connectionsMost(redisServers) - sizing.pool() - sizing.handlerPool()));
  }

  static Finding heap(long bytes) {
    String found = "at most " + bytes / MEGABYTE + " MiB";
    return bytes >= HEAP_LEAST
        ? Finding.ok("sizing.heap", found)
        : Finding.warning(
            "sizing.heap",
            found,
            "what may wait in memory before producers are held back does not fit",
            "JDK_JAVA_OPTIONS=-Xmx512m ./millpond server …, in a container of 1 GiB or more");
  }

  static Finding files(long most) {
    if (most < 0) {
      return Finding.ok("sizing.files", "not limited here");
    }
    String found = "at most " + most + " open";
    if (most >= FILES_WANTED) {
      return Finding.ok("sizing.files", found);
    }
    String why = "a server accepts up to 10000 connections, and each is an open file";
    String remedy = "ulimit -n 65536, or LimitNOFILE=65536 of its unit";
    return most >= FILES_LEAST
        ? Finding.info("sizing.files", found, why, remedy)
        : Finding.warning("sizing.files", found, why, remedy);
  }

  private static long openFilesMost() {
    return ManagementFactory.getOperatingSystemMXBean() instanceof UnixOperatingSystemMXBean unix
        ? unix.getMaxFileDescriptorCount()
        : -1;
  }
}
