package dev.millpond.bench.peer;

import dev.millpond.bench.peer.Peer.Kept;
import dev.millpond.bench.scenario.Ended;
import dev.millpond.bench.scenario.Stage;
import dev.millpond.bench.servers.Meter;
import dev.millpond.bench.servers.Pause;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;

/**
 * One peer on an empty schema of the bench's database, for one measurement: producer and, once
 * started, a worker whose handler does nothing. {@link #finish} closes it and checks that what was
 * acknowledged ran and ended. Thread-safe but for start and end.
 */
final class PeerBed implements AutoCloseable {
  private static final String SCHEMA = "peer";

  /** Makes a payload of about 210 bytes of JSON, as Millpond's. */
  private static final String TEXT = "x".repeat(160);

  private static final long LOOK_MICROS = 500;

  /** Longer than the longest pause between two looks of a worker at its queue. */
  private static final long FIRST_MILLIS = 15_000;

  private static final String DEAD_TUPLES =
      """
      SELECT coalesce(sum(n_tup_upd + n_tup_del), 0) FROM pg_stat_user_tables
      WHERE schemaname = 'peer'
      """;

  private final Stage stage;
  private final List<String> problems;
  private final Meter meter;
  private final String url;
  private final PeerTally tally = new PeerTally();
  private final AtomicInteger numbers = new AtomicInteger();
  private final LongAdder acknowledged = new LongAdder();
  private final long commitsBefore;
  private final Peer.Session session;
  private boolean working;

  private PeerBed(Stage stage, Peer peer, String url, List<String> problems) throws SQLException {
    this.problems = problems;
    this.stage = stage;
    this.meter = stage.meter();
    this.url = url;
    this.commitsBefore = stage.database().commits();
    this.session = peer.open(url, tally);
  }

  /** Makes one on an empty schema. */
  static PeerBed open(Stage stage, Peer peer) throws SQLException {
    List<String> problems = new ArrayList<>();
    stage.database().awaitAlone(problems);
    String url = stage.database().url();
    try (Connection connection = DriverManager.getConnection(url);
        Statement statement = connection.createStatement()) {
      statement.execute("DROP SCHEMA IF EXISTS " + SCHEMA + " CASCADE");
      statement.execute("CREATE SCHEMA " + SCHEMA);
    }
    return new PeerBed(
        stage, peer, url + (url.contains("?") ? "&" : "?") + "currentSchema=" + SCHEMA, problems);
  }

  void startWorker() {
    working = true;
    session.startWorker();
  }

  void submit() {
    submit(System.nanoTime());
  }

  /**
   * Submits a job whose time to its handler counts from a given moment.
   *
   * @param nanos of {@link System#nanoTime()}
   */
  void submit(long nanos) {
    session.submit(job(nanos));
    acknowledged.increment();
  }

  void submitAll(int count) {
    List<PeerJob> jobs = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      jobs.add(job(System.nanoTime()));
    }
    session.submitAll(jobs);
    acknowledged.add(count);
  }

  private PeerJob job(long nanos) {
    return new PeerJob(nanos, numbers.getAndIncrement(), TEXT);
  }

  long acknowledged() {
    return acknowledged.sum();
  }

  /** Jobs whose end is committed. */
  long completed() {
    return tally.endedCount();
  }

  /** Jobs of the scenario's own measure: completed ones where there is a worker. */
  long progress() {
    return working ? completed() : acknowledged();
  }

  PeerTally tally() {
    return tally;
  }

  Meter meter() {
    return meter;
  }

  /** Waits until the worker has found that there is work; some look every five seconds only. */
  void awaitFirstRun() {
    long before = tally.runs();
    long until = System.nanoTime() + FIRST_MILLIS * 1_000_000;
    while (tally.runs() == before && System.nanoTime() < until) {
      Pause.micros(200);
    }
  }

  /** Waits until all that was acknowledged is completed, as long as there is progress. */
  void awaitCompleted() {
    Pause.whileItGrows(this::completed, this::acknowledged, LOOK_MICROS);
  }

  /** Waits for the work to end, closes, and compares with the tables. */
  Ended finish() throws SQLException {
    if (working) {
      awaitCompleted();
    }
    session.close();
    stage.database().awaitAlone(problems);
    long commits = stage.database().commits() - commitsBefore;
    long jobs = acknowledged();
    long ran = working ? jobs : 0;
    try (Connection connection = DriverManager.getConnection(url);
        Statement statement = connection.createStatement()) {
      Kept kept = session.kept(connection);
      Ended.expect(problems, "jobs not ended", jobs - ran, kept.open());
      kept.ended().ifPresent(ended -> Ended.expect(problems, "jobs ended", ran, ended));
      Ended.expect(problems, "jobs that ran", ran, tally.distinctRuns());
      try (ResultSet row = statement.executeQuery(DEAD_TUPLES)) {
        row.next();
        return new Ended(jobs, commits, row.getLong(1), problems);
      }
    }
  }

  @Override
  public void close() {
    session.close();
  }
}
