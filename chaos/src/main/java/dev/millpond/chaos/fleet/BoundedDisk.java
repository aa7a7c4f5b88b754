package dev.millpond.chaos.fleet;

import dev.millpond.chaos.fleet.Shell.Ran;
import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A tmpfs of bounded size over a directory, which can be made full: then it is as large as what is
 * on it. That takes no memory, as a file of ballast would. What was in the directory is on it, and
 * is there again after {@link #close}, with all that has changed. Needs root, and Linux. Used by
 * one thread at a time.
 */
public final class BoundedDisk implements AutoCloseable {
  /**
   * Gives the directory {@code $1} back with what is on the disk, and takes the disk away; also
   * goes on where that or {@link #over} was cut off. What was there before is next to it until all
   * of it is on the disk, and what is on the disk is next to it once it is whole. When it cannot be
   * copied the disk stays. By the guard also when this process is killed, so it is the shell's.
   */
  static final String TAKE_AWAY =
      """
      take_away() {
        if mountpoint -q "$1" 2>/dev/null; then
          if [ ! -d "$1.before" ]; then
            rm -rf "$1.part" "$1.kept"
            if ! cp -a "$1" "$1.part"; then
              rm -rf "$1.part"
              echo "What is on it cannot be copied, so it stays mounted on $1."
              return 1
            fi
            mv "$1.part" "$1.kept" || return 1
          fi
          umount "$1" 2>/dev/null || umount -l "$1" || return 1
        fi
        for whole in "$1.before" "$1.kept"; do
          if [ -d "$whole" ]; then
            if [ -e "$1" ]; then rmdir "$1" || return 1; fi
            mv "$whole" "$1" || return 1
          fi
        done
      }
      """;

  /** Takes only as much memory as is on it. */
  private static final long ROOMY_BYTES = 4L << 30;

  /** What is on it may grow between the look and the mount. */
  private static final int TRIES = 20;

  private final Path directory;

  private BoundedDisk(Path directory) {
    this.directory = directory;
  }

  /** Why there can be none on this machine; empty when there can. */
  public static Optional<String> missing() {
    Ran user = Shell.run(Map.of(), List.of("id", "-u"));
    if (!user.output().equals("0")) {
      return Optional.of("only root may mount a tmpfs");
    }
    Ran looked = Shell.run(Map.of(), List.of("mountpoint", "-q", "/proc"));
    if (!looked.ok()) {
      return Optional.of("the program mountpoint does not work: " + looked.output());
    }
    // In a namespace of its own, so that nothing is left of it.
    Ran mount =
        Shell.run(
            Map.of(),
            List.of("unshare", "-m", "mount", "-t", "tmpfs", "-o", "size=1m", "millpond", "/tmp"));
    return mount.ok()
        ? Optional.empty()
        : Optional.of("a tmpfs cannot be mounted: " + mount.output());
  }

  /**
   * Sees to one that was left over a directory, and to a directory that was left next to its place.
   * It has room then, or is no more. Nobody may write to the directory meanwhile.
   */
  static void mend(Path directory) {
    if (isOver(directory) && !Files.exists(beside(directory, ".before"))) {
      new BoundedDisk(directory).free();
    } else if (isOver(directory)
        || Files.exists(beside(directory, ".before"))
        || Files.exists(beside(directory, ".kept"))) {
      takeAway(directory);
    }
  }

  private static boolean isOver(Path directory) {
    return Shell.run(Map.of(), List.of("mountpoint", "-q", directory.toString())).ok();
  }

  private static Path beside(Path directory, String suffix) {
    return directory.resolveSibling(directory.getFileName() + suffix);
  }

  /**
   * Puts one over a directory that nobody uses now; one that is there already is taken over. When
   * it fails all is as it was.
   */
  public static BoundedDisk over(Path directory) {
    mend(directory);
    BoundedDisk disk = new BoundedDisk(directory);
    if (isOver(directory)) {
      return disk;
    }
    must(
        "sh",
        "-ec",
        TAKE_AWAY
            + """
            trap 'code=$?; [ $code = 0 ] || take_away "$0"; exit $code' EXIT
            mv "$0" "$0.before"
            mkdir "$0"
            mount -t tmpfs -o size="$1" millpond-chaos "$0"
            cp -a "$0.before/." "$0"
            mv "$0.before" "$0.copied"
            rm -rf "$0.copied" || true
            """,
        directory.toString(),
        Long.toString(ROOMY_BYTES));
    return disk;
  }

  /**
   * Makes it full but for some bytes.
   *
   * @param leftBytes still free
   */
  public void fill(long leftBytes) throws IOException {
    FileStore store = Files.getFileStore(directory);
    for (int attempt = 1; ; attempt++) {
      long used = store.getTotalSpace() - store.getUnallocatedSpace();
      Ran ran = size(used + leftBytes);
      if (ran.ok()) {
        return;
      }
      if (attempt == TRIES) {
        throw new FleetException("Cannot make " + directory + " full: " + ran.output());
      }
    }
  }

  /** Gives it room again. */
  public void free() {
    Ran ran = size(ROOMY_BYTES);
    if (!ran.ok()) {
      throw new FleetException("Cannot give " + directory + " room: " + ran.output());
    }
  }

  private Ran size(long bytes) {
    return Shell.run(
        Map.of(), List.of("mount", "-o", "remount,size=" + bytes, directory.toString()));
  }

  /** Takes it away; nobody may use the directory any more. */
  @Override
  public void close() {
    takeAway(directory);
  }

  private static void takeAway(Path directory) {
    must("sh", "-c", TAKE_AWAY + "take_away \"$0\"", directory.toString());
  }

  private static void must(String... command) {
    Ran ran = Shell.run(Map.of(), List.of(command));
    if (!ran.ok()) {
      throw new FleetException(
          "A disk of its own for PostgreSQL ended with %d: %s".formatted(ran.code(), ran.output()));
    }
  }
}
