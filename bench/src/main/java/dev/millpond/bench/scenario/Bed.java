package dev.millpond.bench.scenario;

import dev.millpond.api.JobRequest;
import dev.millpond.api.SubmitResult;
import dev.millpond.bench.servers.Database;
import dev.millpond.bench.servers.Meter;
import dev.millpond.bench.servers.Pause;
import dev.millpond.bench.servers.Role;
import dev.millpond.bench.servers.WorkerProcess;
import dev.millpond.engine.Millpond;
import dev.millpond.engine.MillpondConfig;
import dev.millpond.engine.admission.Watermarks;
import dev.millpond.engine.books.BooksReport;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.LongAdder;
import org.HdrHistogram.Histogram;

/**
 * One Millpond on empty tables and an empty Redis, for one measurement: producer, maintenance and,
 * once started, workers. {@link #finish} closes it and checks that what was acknowledged is what
 * PostgreSQL holds. Thread-safe but for start and end.
 */
public final class Bed implements AutoCloseable {
  /** The kind whose handler does nothing. */
  public static final String KIND = Work.NOTHING.kind();

  /** A kind that no worker knows. */
  private static final String UNSERVED = "bench.unserved";

  private static final long LOOK_MICROS = 500;

  /** From so many live jobs on the books take longer than their statements may. */
  private static final int MANY_JOBS = 500_000;

  private static final long POLL_MILLIS = 10;
  private static final int PROBLEMS_MAX = 5;

  private final Database database;
  private final Setup setup;
  private final List<String> redisUrls;
  private final Meter meter;
  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
  private final Millpond millpond;
  private final long commitsBefore;
  private final long deadTuplesBefore;
  private final LongAdder acknowledged = new LongAdder();
  private final LongAdder parked = new LongAdder();
  private final LongAdder parkedScheduled = new LongAdder();
  private final List<Counter> completions = new CopyOnWriteArrayList<>();
  private final Work.Tally tally = new Work.Tally();
  private final List<WorkerProcess> processes = new ArrayList<>();
  private final List<String> problems;
  private final String text;
  private boolean working;
  private volatile long completedByProcesses;
  private volatile boolean closed;
  private long runsOfProcesses;
  private long failuresOfProcesses;

  private Bed(Stage stage, Setup setup, MillpondConfig config, Meter meter, List<String> problems)
      throws SQLException {
    this.problems = problems;
    this.database = stage.database();
    this.setup = setup;
    this.redisUrls = config.redisUrls();
    this.meter = meter;
    this.text = text(setup.textChars());
    this.commitsBefore = database.commits();
    this.deadTuplesBefore = database.deadTuples();
    registry.config().onMeterAdded(this::countCompletions);
    this.millpond = Millpond.connect(config, registry);
    setup.work().register(millpond, tally);
    millpond.startMaintenance();
  }

  /** Makes one on emptied tables and an emptied Redis. */
  static Bed open(Stage stage) throws SQLException {
    return open(stage, Setup.USUAL);
  }

  /** The same, as it is asked for. */
  static Bed open(Stage stage, Setup setup) throws SQLException {
    List<String> problems = new ArrayList<>();
    stage.database().awaitAlone(problems);
    stage.database().empty();
    MillpondConfig config =
        MillpondConfig.of(stage.database().url())
            .withSlots(setup.slots())
            .withWatermarks(Watermarks.NONE);
    if (stage.mode() == Mode.STREAMS) {
      config = config.withRedis(stage.emptyRedis(setup.redisServers()));
    }
    return new Bed(stage, setup, config, stage.meter(setup.redisServers()), problems);
  }

  private static String text(int chars) {
    StringBuilder text = new StringBuilder(chars);
    for (int i = 0; i < chars; i++) {
      text.append((char) ('a' + ThreadLocalRandom.current().nextInt(26)));
    }
    return text.toString();
  }

  /** Starts the worker of this JVM, or the worker processes. */
  void startWorker() {
    working = true;
    if (setup.workers() == 0) {
      millpond.startWorker();
      return;
    }
    List<String> arguments =
        new ArrayList<>(
            List.of(database.url(), setup.work().name(), Integer.toString(setup.slots())));
    arguments.addAll(redisUrls);
    try {
      for (int i = 0; i < setup.workers(); i++) {
        WorkerProcess process = WorkerProcess.start(WorkerMain.class, arguments);
        processes.add(process);
        meter.watch(Role.WORKER, process.pid());
      }
    } catch (IOException e) {
      throw new IllegalStateException("a worker process did not start", e);
    }
    Thread.ofPlatform().daemon().name("bench-worker-counts").start(this::askProcesses);
  }

  private void askProcesses() {
    while (!closed) {
      synchronized (processes) {
        if (!closed) {
          try {
            completedByProcesses =
                processes.stream().mapToLong(process -> process.counts()[0]).sum();
          } catch (UncheckedIOException e) {
            return; // close() will say which one has died
          }
        }
      }
      Pause.millis(POLL_MILLIS);
    }
  }

  JobRequest request() {
    return request(System.nanoTime());
  }

  /**
   * A job whose time to its handler counts from a given moment.
   *
   * @param nanos of {@link System#nanoTime()}
   */
  JobRequest request(long nanos) {
    return JobRequest.of(setup.work().kind(), new Work.Payload(nanos, text));
  }

  List<JobRequest> requests(int count) {
    List<JobRequest> requests = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      requests.add(request());
    }
    return requests;
  }

  /** Jobs that nobody will run: for lack of a worker that knows their kind, or until tomorrow. */
  List<JobRequest> parked(int count, boolean scheduled) {
    List<JobRequest> requests = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      JobRequest request =
          JobRequest.of(UNSERVED, new Work.Payload(System.nanoTime(), text)).withQueue("backlog");
      requests.add(scheduled ? request.withDelay(Duration.ofDays(1)) : request);
    }
    return requests;
  }

  Millpond millpond() {
    return millpond;
  }

  /** How many jobs may be open before producers hold back: a steady state, bounded in bytes. */
  int openMost() {
    return Math.clamp((64L << 20) / setup.textChars(), 500, 20_000);
  }

  /** Counts what was acknowledged; anything but accepted is an error. */
  void acknowledge(List<SubmitResult> results) {
    count(results, acknowledged);
  }

  /** Counts acknowledged jobs of {@link #parked}. */
  void acknowledgeParked(List<SubmitResult> results, boolean scheduled) {
    count(results, scheduled ? parkedScheduled : parked);
  }

  private static void count(List<SubmitResult> results, LongAdder counter) {
    for (SubmitResult result : results) {
      if (!(result instanceof SubmitResult.Accepted)) {
        throw new IllegalStateException("not accepted: " + result);
      }
    }
    counter.add(results.size());
  }

  /** Jobs whose submit was acknowledged, without those that nobody will run. */
  long acknowledged() {
    return acknowledged.sum();
  }

  /** The producers look before each job: too often to look through all meters. */
  private void countCompletions(io.micrometer.core.instrument.Meter meter) {
    if (meter instanceof Counter counter && meter.getId().getName().equals(WorkerMain.COMPLETED)) {
      completions.add(counter);
    }
  }

  /** Jobs whose outcome is committed. */
  long completed() {
    if (setup.workers() > 0) {
      return completedByProcesses;
    }
    double completed = 0;
    for (Counter counter : completions) {
      completed += counter.count();
    }
    return (long) completed;
  }

  /** Jobs of the scenario's own measure: completed ones where there is a worker. */
  long progress() {
    return working ? completed() : acknowledged();
  }

  /** Time from the moment that a request carries to the handler, in microseconds. */
  Histogram startMicros() {
    return tally.startMicros();
  }

  Meter meter() {
    return meter;
  }

  /**
   * Waits until all that was acknowledged is completed, as long as there is progress; if not all
   * is, the books will say what is missing. Nothing may be submitted meanwhile.
   */
  void awaitCompleted() {
    Pause.whileItGrows(this::completed, this::acknowledged, LOOK_MICROS);
  }

  /** Why the run does not count; for the thread that calls {@link #finish}. */
  void problem(String problem) {
    problems.add(problem);
  }

  /** Waits for the work to end, checks the books, closes, and compares with the tables. */
  Ended finish() throws SQLException {
    if (working) {
      awaitCompleted();
    }
    if (parked.sum() + parkedScheduled.sum() < MANY_JOBS) {
      BooksReport books = millpond.checkBooks();
      books.findings().stream()
          .limit(PROBLEMS_MAX)
          .forEach(finding -> problems.add("books: " + finding));
    } else {
      database.analyze(); // the counts below tell the same, without the books' limit of time
    }
    close();
    database.awaitAlone(problems);
    long commits = database.commits() - commitsBefore;
    long deadTuples = database.deadTuples() - deadTuplesBefore;
    long jobs = acknowledged();
    long all = jobs + parked.sum() + parkedScheduled.sum();
    long held = parked.sum() + (working ? 0 : jobs);
    long failures = tally.failures() + failuresOfProcesses;
    Database.Counts counts = database.counts();
    Ended.expect(problems, "jobs", all, counts.jobs());
    Ended.expect(problems, "outcomes", working ? jobs : 0, counts.succeeded());
    Ended.expect(problems, "jobs without an outcome", held + parkedScheduled.sum(), counts.open());
    Ended.expect(problems, "jobs in dispatch rows", held, counts.held());
    Ended.expect(problems, "state rows", parkedScheduled.sum(), counts.state());
    Ended.expect(problems, "dead letters", 0, counts.dead());
    Ended.expect(problems, "failed attempts", failures, counts.failed());
    Ended.expect(
        problems, "handler runs", working ? jobs + failures : 0, tally.runs() + runsOfProcesses);
    return new Ended(all, commits, deadTuples, problems);
  }

  /** Ends all of it, whichever of the worker processes have died. */
  @Override
  public void close() {
    try {
      synchronized (processes) {
        closed = true;
        processes.forEach(this::end);
        processes.clear();
      }
    } finally {
      millpond.close();
    }
  }

  private void end(WorkerProcess process) {
    try {
      long[] counts = process.end();
      runsOfProcesses += counts[1];
      failuresOfProcesses += counts[2];
    } catch (UncheckedIOException e) {
      problems.add(String.valueOf(e.getMessage()));
    }
  }
}
