package dev.millpond.bench.servers;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Locale;
import org.HdrHistogram.Histogram;

/**
 * How long the disk takes to make 8 KB durable, as a commit does: no acknowledgement can be
 * quicker, and its tail is the tail of every latency.
 */
public final class DiskProbe {
  private static final int WRITE_BYTES = 8 * 1024;
  private static final int FILE_BYTES = 16 << 20;
  private static final long PAUSE_MILLIS = 4;

  private DiskProbe() {}

  /** Writes for so long into a file of its own in the directory; what came out, as a line. */
  public static String measure(Path directory, long millis) throws IOException {
    Histogram micros = new Histogram(60_000_000L, 3);
    Path file = directory.resolve("disk-probe");
    try (FileChannel channel =
        FileChannel.open(
            file,
            StandardOpenOption.CREATE,
            StandardOpenOption.WRITE,
            StandardOpenOption.DELETE_ON_CLOSE)) {
      channel.write(ByteBuffer.allocate(FILE_BYTES), 0);
      channel.force(true);
      ByteBuffer page = ByteBuffer.allocate(WRITE_BYTES);
      long until = System.nanoTime() + millis * 1_000_000;
      for (long at = 0; System.nanoTime() < until; at = (at + WRITE_BYTES) % FILE_BYTES) {
        long began = System.nanoTime();
        channel.write(page.rewind(), at);
        channel.force(false);
        micros.recordValue((System.nanoTime() - began) / 1_000);
        Pause.millis(PAUSE_MILLIS);
      }
    }
    return String.format(
        Locale.ROOT,
        "disk: write and fdatasync of 8 KB, %d times: p50 %.2f, p95 %.2f, p99 %.2f, at most %.2f"
            + " ms",
        micros.getTotalCount(),
        micros.getValueAtPercentile(50) / 1e3,
        micros.getValueAtPercentile(95) / 1e3,
        micros.getValueAtPercentile(99) / 1e3,
        micros.getMaxValue() / 1e3);
  }
}
