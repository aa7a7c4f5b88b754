package dev.millpond.chaos.work;

import dev.millpond.chaos.journal.RecordClock;
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
 * S run number job token attempt millis     a handler has started, by the clock of the records
 * E run millis                              it is about to succeed, or its transaction has committed
 * F run millis                              it has failed on purpose
 * X run millis reason                       it was stopped or failed otherwise
 * </pre>
 */
final class Runs {
  /** System property that names the directory of the ledger. */
  static final String DIRECTORY = "millpond.chaos.ledger";

  private final RecordClock clock;
  private final String prefix;
  private final AtomicLong count = new AtomicLong();

  /** No channel: the interrupt that stops a handler would close it. */
  private final OutputStream out;

  private Runs(OutputStream out, RecordClock clock, String prefix) {
    this.out = out;
    this.clock = clock;
    this.prefix = prefix;
  }

  /** The file of this process. */
  static Runs open() {
    String directory = System.getProperty(DIRECTORY);
    if (directory == null) {
      throw new IllegalStateException("-D" + DIRECTORY + " is not set");
    }
    try {
      Path folder = Files.createDirectories(Path.of(directory));
      RecordClock clock = RecordClock.told();
      String prefix = ProcessHandle.current().pid() + "." + clock.millis();
      return new Runs(
          new FileOutputStream(folder.resolve(prefix + ".runs").toFile(), true), clock, prefix);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A run begins; its name. */
  String started(UUID job, long number, int token, int attempt) {
    String run = prefix + "." + count.incrementAndGet();
    add("S %s %d %s %d %d %d".formatted(run, number, job, token, attempt, clock.millis()));
    return run;
  }

  void succeeded(String run) {
    add("E " + run + " " + clock.millis());
  }

  void failedOnPurpose(String run) {
    add("F " + run + " " + clock.millis());
  }

  void stopped(String run, Throwable why) {
    add("X " + run + " " + clock.millis() + " " + why.getClass().getSimpleName());
  }

  private synchronized void add(String line) {
    try {
      out.write((line + "\n").getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
