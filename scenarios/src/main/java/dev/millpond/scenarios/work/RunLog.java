package dev.millpond.scenarios.work;

import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.UUID;

/**
 * A worker process's part of the ledger: a file of its own, to which each start and end of a
 * handler adds a line by one write. What is written outlives the process, however that ends. Times
 * are {@link System#nanoTime}, which all processes of a machine that was not rebooted share.
 * Thread-safe.
 *
 * <pre>
 * S nanos job attempt label     a handler has started
 * E nanos job                   it is about to return
 * </pre>
 */
final class RunLog {
  /** System property that names the directory of the ledger. */
  static final String DIRECTORY = "millpond.scenario.ledger";

  private final OutputStream out;

  private RunLog(OutputStream out) {
    this.out = out;
  }

  /** The file of this process. */
  static RunLog open() {
    String directory = System.getProperty(DIRECTORY);
    if (directory == null) {
      throw new IllegalStateException("-D" + DIRECTORY + " is not set");
    }
    try {
      Path folder = Files.createDirectories(Path.of(directory));
      Path file = folder.resolve(ProcessHandle.current().pid() + "." + System.nanoTime() + ".runs");
      // No channel: the interrupt that stops a handler would close it.
      return new RunLog(new FileOutputStream(file.toFile(), true));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  void started(UUID job, int attempt, String label) {
    add("S %d %s %d %s\n".formatted(System.nanoTime(), job, attempt, label));
  }

  void ends(UUID job) {
    add("E " + System.nanoTime() + " " + job + "\n");
  }

  private synchronized void add(String line) {
    try {
      out.write(line.getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
