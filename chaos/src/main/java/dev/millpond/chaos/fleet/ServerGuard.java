package dev.millpond.chaos.fleet;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Ends PostgreSQL and Redis when this process is killed, and takes a disk away that was mounted for
 * them: a shell in a session of its own that reads from it. They have no standard input to see its
 * end by. What it ends it knows by their pid files.
 */
final class ServerGuard implements AutoCloseable {
  /** Members see the end of their input first, and may still want to write. */
  private static final String SCRIPT =
      BoundedDisk.TAKE_AWAY
          + """
          read -r _ && exit
          sleep 1
          for file in "$0/postmaster.pid" "$1"; do
            pid=$(head -n 1 "$file" 2>/dev/null) || continue
            [ -n "$pid" ] || continue
            kill -s QUIT "$pid" 2>/dev/null
            kill -s CONT "$pid" 2>/dev/null
            sleep 2
            kill -s KILL "$pid" 2>/dev/null
          done
          take_away "$0"
          """;

  private final Process shell;

  private ServerGuard(Process shell) {
    this.shell = shell;
  }

  /**
   * Begins to watch.
   *
   * @param postgresData the directory of its data
   */
  static ServerGuard watch(Path postgresData, Path redisPidFile) {
    List<String> command = new ArrayList<>();
    if (Path.of("/usr/bin/setsid").toFile().canExecute()) {
      command.add("/usr/bin/setsid"); // Ctrl-C is for this process, which ends them in order
    }
    command.addAll(List.of("sh", "-c", SCRIPT, postgresData.toString(), redisPidFile.toString()));
    try {
      return new ServerGuard(
          new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start());
    } catch (IOException e) {
      throw new FleetException("Cannot watch over the servers", e);
    }
  }

  /** They have been ended in order. */
  @Override
  public void close() {
    try (var in = shell.outputWriter()) {
      in.write("\n");
    } catch (IOException e) {
      shell.destroyForcibly();
    }
  }
}
