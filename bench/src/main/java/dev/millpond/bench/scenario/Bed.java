package dev.millpond.bench.scenario;

import dev.millpond.api.JobRequest;
import dev.millpond.api.SubmitResult;
import dev.millpond.bench.servers.Database;
import dev.millpond.bench.servers.Meter;
import dev.millpond.bench.servers.Pause;
import dev.millpond.engine.Millpond;
import dev.millpond.engine.MillpondConfig;
import dev.millpond.engine.books.BooksReport;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.LongAdder;
import org.HdrHistogram.ConcurrentHistogram;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/**
 * One Millpond on empty tables and an empty Redis, for one measurement: producer, maintenance and,
 * once started, a worker whose handler does nothing. {@link #finish} closes it and checks that what
 * was acknowledged is what PostgreSQL holds. Thread-safe but for start and end.
 */
public final class Bed implements AutoCloseable {
  public static final String KIND = "bench.noop";

  /** Makes a payload of about 210 bytes of JSON. */
  private static final int TEXT_CHARS = 175;

  private static final long FINISH_MILLIS = 60_000;

  private final Database database;
  private final Meter meter;
  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
  private final Millpond millpond;
  private final long commitsBefore;
  private final long deadTuplesBefore;
  private final LongAdder acknowledged = new LongAdder();
  private final LongAdder runs = new LongAdder();
  private final Histogram startMicros = new ConcurrentHistogram(60_000_000L, 3);
  private final String text = text();
  private volatile @Nullable Counter completedCounter;
  private boolean working;

  /**
   * What a job carries.
   *
   * @param at {@link System#nanoTime()} of the submit
   */
  record Payload(long at, String text) {}

  private Bed(Stage stage, MillpondConfig config) throws SQLException {
    this.database = stage.database();
    this.meter = stage.meter();
    this.commitsBefore = database.commits();
    this.deadTuplesBefore = database.deadTuples();
    this.millpond = Millpond.connect(config, registry);
    millpond.registerHandler(
        KIND,
        Payload.class,
        (context, payload) -> {
          runs.increment();
          startMicros.recordValue(
              Math.clamp((System.nanoTime() - payload.at()) / 1_000, 0, 59_000_000));
          return null;
        });
    millpond.startMaintenance();
  }

  /** Makes one on emptied tables and an emptied Redis. */
  static Bed open(Stage stage) throws SQLException {
    stage.database().awaitAlone();
    stage.database().empty();
    MillpondConfig config = MillpondConfig.of(stage.database().url());
    String redisUrl = stage.servers().redisUrl();
    if (stage.mode() == Mode.STREAMS && redisUrl != null) {
      stage.redis().forEach(line -> line.command("FLUSHALL"));
      config = config.withRedis(List.of(redisUrl));
    }
    return new Bed(stage, config);
  }

  private static String text() {
    StringBuilder text = new StringBuilder(TEXT_CHARS);
    for (int i = 0; i < TEXT_CHARS; i++) {
      text.append((char) ('a' + ThreadLocalRandom.current().nextInt(26)));
    }
    return text.toString();
  }

  void startWorker() {
    working = true;
    millpond.startWorker();
  }

  JobRequest request() {
    return JobRequest.of(KIND, new Payload(System.nanoTime(), text));
  }

  List<JobRequest> requests(int count) {
    List<JobRequest> requests = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      requests.add(request());
    }
    return requests;
  }

  Millpond millpond() {
    return millpond;
  }

  /** Counts what was acknowledged; anything but accepted is an error. */
  void acknowledge(List<SubmitResult> results) {
    for (SubmitResult result : results) {
      if (!(result instanceof SubmitResult.Accepted)) {
        throw new IllegalStateException("not accepted: " + result);
      }
    }
    acknowledged.add(results.size());
  }

  /** Jobs whose submit was acknowledged. */
  long acknowledged() {
    return acknowledged.sum();
  }

  /** Jobs whose outcome is committed. */
  long completed() {
    Counter counter = completedCounter;
    if (counter == null) {
      counter =
          registry.find("millpond.jobs.completed").counter(); // one kind and lane: one counter
      completedCounter = counter;
    }
    return counter == null ? 0 : (long) counter.count();
  }

  /** Jobs of the scenario's own measure: completed ones where there is a worker. */
  long progress() {
    return working ? completed() : acknowledged();
  }

  /** Time from the submit call to the handler, in microseconds. */
  Histogram startMicros() {
    return startMicros;
  }

  Meter meter() {
    return meter;
  }

  /** Waits until all that was acknowledged is completed. */
  void awaitCompleted() {
    long until = System.nanoTime() + FINISH_MILLIS * 1_000_000;
    while (completed() < acknowledged() && System.nanoTime() < until) {
      Pause.micros(500);
    }
  }

  /** Waits for the work to end, checks the books, closes, and compares with the tables. */
  Ended finish() throws SQLException {
    if (working) {
      awaitCompleted();
    }
    List<String> problems = new ArrayList<>();
    BooksReport books = millpond.checkBooks();
    books.findings().stream().limit(5).forEach(finding -> problems.add("books: " + finding));
    close();
    database.awaitAlone();
    long commits = database.commits() - commitsBefore;
    Database.Counts counts = database.counts();
    long jobs = acknowledged();
    expect(problems, "jobs", jobs, counts.jobs());
    expect(problems, "outcomes", working ? jobs : 0, counts.succeeded());
    expect(problems, "jobs without an outcome", working ? 0 : jobs, counts.open());
    expect(problems, "jobs in dispatch rows", working ? 0 : jobs, counts.held());
    expect(problems, "state rows", 0, counts.state());
    expect(problems, "dead letters", 0, counts.dead());
    expect(problems, "handler runs", working ? jobs : 0, runs.sum());
    return new Ended(jobs, commits, database.deadTuples() - deadTuplesBefore, problems);
  }

  private static void expect(List<String> problems, String what, long expected, long found) {
    if (expected != found) {
      problems.add(what + ": expected " + expected + ", found " + found);
    }
  }

  @Override
  public void close() {
    millpond.close();
  }
}
