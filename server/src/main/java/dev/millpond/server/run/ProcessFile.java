package dev.millpond.server.run;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Shows that a worker process lives: a file named by its id, locked as long as it does. The lock
 * ends with the process however that ends, and the file is removed only by a stop that comes to its
 * end; so a file that nobody holds is that of a process that died.
 *
 * <p>In the data directory, which outlives the process where the next one is to know of its death:
 * on a host, or on a volume. Where it does not, the fleet finds out by the silence.
 */
final class ProcessFile implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(ProcessFile.class);

  /** Files of dead processes looked at by one start. */
  private static final int LOOK_MAX = 1_000;

  /** Those of this very process: to look at one would end its lock, as POSIX has it. */
  private static final Set<String> MINE = ConcurrentHashMap.newKeySet();

  private final Path file;
  private final FileChannel channel;

  private ProcessFile(Path file, FileChannel channel) {
    this.file = file;
    this.channel = channel;
  }

  /**
   * Tells of those that have died, then shows that this one lives.
   *
   * @param directory of the files; made if need be
   * @param died told of each process that has died; its file stays when that fails
   */
  static ProcessFile open(Path directory, UUID process, Consumer<UUID> died) throws IOException {
    Files.createDirectories(directory);
    findDead(directory, died);
    MINE.add(process.toString());
    Path unlocked = directory.resolve(process + ".new");
    FileChannel channel =
        FileChannel.open(unlocked, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
    try {
      FileLock lock = channel.tryLock();
      if (lock == null) {
        throw new IOException(unlocked + " is locked by somebody else");
      }
      // only now others see it, so that none takes it for that of a process that died
      Path file = directory.resolve(process.toString());
      return new ProcessFile(Files.move(unlocked, file, StandardCopyOption.ATOMIC_MOVE), channel);
    } catch (IOException e) {
      channel.close();
      throw e;
    }
  }

  private static void findDead(Path directory, Consumer<UUID> died) throws IOException {
    int looked = 0;
    try (DirectoryStream<Path> files = Files.newDirectoryStream(directory)) {
      for (Path file : files) {
        if (looked++ >= LOOK_MAX) {
          return;
        }
        try {
          UUID process = UUID.fromString(String.valueOf(file.getFileName()));
          if (!MINE.contains(process.toString()) && isDead(file)) {
            died.accept(process);
            Files.deleteIfExists(file);
          }
        } catch (IllegalArgumentException e) {
          log.debug("{} is none of ours", file);
        } catch (RuntimeException | IOException e) {
          log.debug("{} is left to the next start: {}", file, e.getMessage());
        }
      }
    }
  }

  private static boolean isDead(Path file) throws IOException {
    try (FileChannel other = FileChannel.open(file, StandardOpenOption.WRITE);
        FileLock lock = other.tryLock()) {
      return lock != null;
    }
  }

  @Override
  public void close() {
    try {
      Files.deleteIfExists(file);
      channel.close();
      MINE.remove(String.valueOf(file.getFileName()));
    } catch (IOException e) {
      log.debug("{} stays: {}", file, e.getMessage());
    }
  }
}
