package dev.millpond.bench.scale;

import dev.millpond.api.JobRequest;
import dev.millpond.bench.servers.Pause;
import dev.millpond.bench.servers.Processes;
import dev.millpond.embedded.EmbeddedPostgres;
import dev.millpond.embedded.StartOptions;
import dev.millpond.engine.Millpond;
import dev.millpond.engine.MillpondConfig;
import dev.millpond.engine.admission.Watermarks;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * One cell and two cells on this one machine, in turns: what a job costs must stay the same. The
 * rate says little, since both PostgreSQLs, the producers and the workers share its processors.
 */
final class CellTrial implements AutoCloseable {
  private static final int CELLS = 2;
  private static final int QUEUES = 32;
  private static final int LIST = 1_000;
  private static final int IN_FLIGHT = 8;
  private static final int OPEN_MAX = 20_000;
  private static final long LOOK_MICROS = 5_000;
  private static final String KIND = "cells.noop";
  private static final String TEXT = "x".repeat(190);

  private final Path folder;
  private final List<EmbeddedPostgres> databases = new CopyOnWriteArrayList<>();

  /**
   * What came out of one turn.
   *
   * @param postgresCpu seconds of processor time per 100,000 jobs, as is the next one; null where
   *     the system does not tell
   * @param shares of the jobs, by cell
   */
  record Turn(
      int cells,
      double jobsPerSecond,
      @Nullable Double postgresCpu,
      double javaCpu,
      List<Double> shares,
      List<String> problems) {}

  private record Payload(String text) {}

  /** A whole Millpond on one database. */
  private record Cell(Millpond millpond, SimpleMeterRegistry registry) implements AutoCloseable {
    static Cell open(String url) {
      SimpleMeterRegistry registry = new SimpleMeterRegistry();
      Millpond millpond =
          Millpond.connect(MillpondConfig.of(url).withWatermarks(Watermarks.NONE), registry);
      millpond.registerHandler(KIND, Payload.class, (context, payload) -> null);
      millpond.startMaintenance();
      millpond.startWorker();
      return new Cell(millpond, registry);
    }

    long completed() {
      return (long)
          registry.find("millpond.jobs.completed").counters().stream()
              .mapToDouble(Counter::count)
              .sum();
    }

    @Override
    public void close() {
      millpond.close();
    }
  }

  private CellTrial(Path folder) {
    this.folder = folder;
  }

  /**
   * Starts the databases, from the installed programs where there are any. Without vacuum and
   * checkpoints, whose moments would fall into one turn or the other.
   *
   * @param begun gets them before the first one starts, so that it can close them in any case
   */
  static CellTrial start(Consumer<CellTrial> begun) throws IOException {
    Path folder = Files.createTempDirectory("millpond-cells-");
    Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
    CellTrial trial = new CellTrial(folder);
    begun.accept(trial);
    Path bin = Programs.postgres();
    for (int i = 0; i < CELLS; i++) {
      StartOptions options =
          StartOptions.defaults()
              .withSetting("max_wal_size", "8GB")
              .withSetting("checkpoint_timeout", "30min")
              .withSetting("autovacuum", "off");
      EmbeddedPostgres database =
          EmbeddedPostgres.start(
              folder.resolve("cell" + i),
              bin == null ? options : options.withPrograms(bin.resolve("..").normalize()));
      trial.databases.add(database);
      Millpond.migrate(database.jdbcUrl("postgres"));
    }
    return trial;
  }

  /** One turn over the first so many cells; queues belong to cells by rendezvous hashing. */
  Turn run(int cells, long warmMillis, long millis) {
    List<Cell> open = new ArrayList<>();
    try {
      for (EmbeddedPostgres database : databases.subList(0, cells)) {
        open.add(Cell.open(database.jdbcUrl("postgres")));
      }
      return run(open, warmMillis, millis);
    } finally {
      open.forEach(Cell::close);
    }
  }

  private Turn run(List<Cell> cells, long warmMillis, long millis) {
    LongAdder acknowledged = new LongAdder();
    boolean[] stop = new boolean[1];
    List<Thread> producers = new ArrayList<>();
    for (int i = 0; i < 2; i++) {
      int first = i * (QUEUES / 2);
      producers.add(Thread.ofPlatform().start(() -> produce(cells, first, acknowledged, stop)));
    }
    pause(warmMillis);
    long[] before = cells.stream().mapToLong(Cell::completed).toArray();
    Double postgresBefore = postgresCpu();
    double javaBefore = Processes.self();
    long began = System.nanoTime();
    pause(millis);
    double seconds = (System.nanoTime() - began) / 1e9;
    long[] after = cells.stream().mapToLong(Cell::completed).toArray();
    Double postgresAfter = postgresCpu();
    double javaAfter = Processes.self();
    synchronized (stop) {
      stop[0] = true;
    }
    producers.forEach(CellTrial::join);
    long jobs = 0;
    for (int i = 0; i < after.length; i++) {
      jobs += after[i] - before[i];
    }
    List<Double> shares = new ArrayList<>();
    for (int i = 0; i < after.length; i++) {
      shares.add((after[i] - before[i]) / (double) jobs);
    }
    double perHundredThousand = 100_000.0 / jobs;
    return new Turn(
        cells.size(),
        jobs / seconds,
        postgresBefore == null || postgresAfter == null
            ? null
            : (postgresAfter - postgresBefore) * perHundredThousand,
        (javaAfter - javaBefore) * perHundredThousand,
        shares,
        problems(cells, acknowledged.sum()));
  }

  private static List<String> problems(List<Cell> cells, long acknowledged) {
    Pause.whileItGrows(() -> completed(cells), () -> acknowledged, LOOK_MICROS);
    List<String> problems = new ArrayList<>();
    if (completed(cells) != acknowledged) {
      problems.add("acknowledged " + acknowledged + ", completed " + completed(cells));
    }
    for (Cell cell : cells) {
      cell.millpond().checkBooks().findings().stream()
          .limit(5)
          .forEach(finding -> problems.add(finding.toString()));
    }
    return problems;
  }

  private static long completed(List<Cell> cells) {
    return cells.stream().mapToLong(Cell::completed).sum();
  }

  private static void produce(
      List<Cell> cells, int firstQueue, LongAdder acknowledged, boolean[] stop) {
    Semaphore room = new Semaphore(IN_FLIGHT);
    List<List<JobRequest>> lists = new ArrayList<>();
    for (int queue = firstQueue; queue < firstQueue + QUEUES / 2; queue++) {
      JobRequest request = JobRequest.of(KIND, new Payload(TEXT)).withQueue("q" + queue);
      lists.add(Stream.generate(() -> request).limit(LIST).toList());
    }
    int next = 0;
    while (!stopped(stop)) {
      if (acknowledged.sum() - completed(cells) > OPEN_MAX) {
        LockSupport.parkNanos(200_000);
        continue;
      }
      room.acquireUninterruptibly();
      int list = next++ % lists.size();
      int cell = Placement.rendezvous(Placement.hash("q" + (firstQueue + list)), cells.size());
      var unused =
          cells
              .get(cell)
              .millpond()
              .submitAsync(lists.get(list))
              .whenComplete((results, error) -> {
                if (error == null) {
                  acknowledged.add(results.size());
                }
                room.release();
              });
    }
    room.acquireUninterruptibly(IN_FLIGHT);
  }

  private static boolean stopped(boolean[] stop) {
    synchronized (stop) {
      return stop[0];
    }
  }

  private @Nullable Double postgresCpu() {
    double sum = 0;
    for (EmbeddedPostgres database : databases) {
      Double cpu = Processes.tree(database.pid());
      if (cpu == null) {
        return null;
      }
      sum += cpu;
    }
    return sum;
  }

  private static void pause(long millis) {
    long until = System.nanoTime() + millis * 1_000_000;
    for (long left = until - System.nanoTime(); left > 0; left = until - System.nanoTime()) {
      LockSupport.parkNanos(left);
    }
  }

  private static void join(Thread thread) {
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() {
    databases.forEach(EmbeddedPostgres::close);
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(file);
      }
    } catch (IOException e) {
      System.err.println("left behind: " + folder);
    }
  }
}
