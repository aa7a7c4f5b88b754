package dev.millpond.embedded;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * One JVM's claim on a server directory, held by an operating system lock, so that it ends with the
 * JVM however that ends. Holding it proves that a server still running on the directory is an
 * orphan.
 */
final class DirectoryLock implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofSeconds(5);

  /**
   * What this JVM holds. Asked first, because closing any channel of a file lets go of all locks
   * this process has on it.
   */
  private static final Set<Path> HELD = ConcurrentHashMap.newKeySet();

  private final Path file;
  private final FileChannel channel;

  private DirectoryLock(Path file, FileChannel channel) {
    this.file = file;
    this.channel = channel;
  }

  /**
   * Takes the lock, waiting a little for a JVM that is just ending.
   *
   * @throws EmbeddedServerException when another JVM, or another server of this one, keeps the
   *     directory
   */
  static DirectoryLock acquire(Path file) {
    Poll poll = new Poll(PATIENCE);
    do {
      DirectoryLock lock = tryAcquire(file);
      if (lock != null) {
        return lock;
      }
    } while (!HELD.contains(file.toAbsolutePath()) && poll.next());
    throw new EmbeddedServerException(
        "%s is in use by process %s; stop that process or choose another directory."
            .formatted(file.getParent(), holder(file)));
  }

  static @Nullable DirectoryLock tryAcquire(Path file) {
    Path key = file.toAbsolutePath();
    if (!HELD.add(key)) {
      return null;
    }
    DirectoryLock lock = null;
    try {
      lock = tryLock(key);
      return lock;
    } catch (IOException e) {
      throw new EmbeddedServerException("Cannot lock " + file + "; is the directory writable?", e);
    } finally {
      if (lock == null) {
        HELD.remove(key);
      }
    }
  }

  private static @Nullable DirectoryLock tryLock(Path file) throws IOException {
    FileChannel channel =
        FileChannel.open(
            file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
    if (channel.tryLock() == null) {
      channel.close();
      return null;
    }
    channel.truncate(0);
    String pid = Long.toString(ProcessHandle.current().pid());
    channel.write(ByteBuffer.wrap(pid.getBytes(StandardCharsets.US_ASCII)));
    return new DirectoryLock(file, channel);
  }

  Path directory() {
    return Objects.requireNonNull(file.getParent());
  }

  private static String holder(Path file) {
    try {
      String pid = Files.readString(file).strip();
      return pid.isEmpty() ? "(unknown)" : pid;
    } catch (IOException e) {
      return "(unknown)";
    }
  }

  @Override
  public void close() {
    try {
      channel.close();
    } catch (IOException e) {
      throw new EmbeddedServerException("Cannot release " + file + ".", e);
    } finally {
      HELD.remove(file);
    }
  }
}
