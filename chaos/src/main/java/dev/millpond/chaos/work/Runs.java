package dev.millpond.chaos.work;

import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A worker process's part of the ledger of runs: a file of its own, to which each start and end of
 * a handler adds a line by one write. What is written outlives the process, however that ends, and
 * asks neither PostgreSQL nor Redis. Thread-safe.
 *
 * <pre>
 * S run number job token attempt millis     a handler has started, by this machine's clock
 * E run millis                              it is about to succeed, or its transaction has committed
 * F run millis                              it has failed on purpose
 * X run millis reason                       it was stopped or failed otherwise
 * </pre>
 */
final class Runs {
  /** System property that names the directory of the ledger. */
  static final String DIRECTORY = "millpond.chaos.ledger";

  private final String prefix = Long.toString(ProcessHandle.current().pid()) + "." + now();
  private final AtomicLong count = new AtomicLong();

  /** No channel: the interrupt that stops a handler would close it. */
  private final OutputStream out;

  private Runs(OutputStream out) {
    this.out = out;
  }

  /** The file of this process. */
  static Runs open() {
    String directory = System.getProperty(DIRECTORY);
    if (directory == null) {
      throw new IllegalStateException("-D" + DIRECTORY + " is not set");
    }
    try {
      Path folder = Files.createDirectories(Path.of(directory));
      String name = ProcessHandle.current().pid() + "." + now() + ".runs";
      return new Runs(new FileOutputStream(folder.resolve(name).toFile(), true));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A run begins; its name. */
  String started(UUID job, long number, int token, int attempt) {
    String run = prefix + "." + count.incrementAndGet();
    add("S %s %d %s %d %d %d".formatted(run, number, job, token, attempt, now()));
    return run;
  }

  void succeeded(String run) {
    add("E " + run + " " + now());
  }

  void failedOnPurpose(String run) {
    add("F " + run + " " + now());
  }

  void stopped(String run, Throwable why) {
    add("X " + run + " " + now() + " " + why.getClass().getSimpleName());
  }

  private synchronized void add(String line) {
    try {
      out.write((line + "\n").getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static long now() {
    return System.currentTimeMillis();
  }
}
