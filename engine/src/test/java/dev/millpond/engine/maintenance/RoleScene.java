package dev.millpond.engine.maintenance;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.api.JobRequest;
import dev.millpond.engine.Database;
import dev.millpond.engine.Fleet;
import dev.millpond.engine.Fleet.Mode;
import dev.millpond.engine.Millpond;
import dev.millpond.engine.Timing;
import dev.millpond.engine.books.Books;
import dev.millpond.engine.dispatch.Batch;
import dev.millpond.engine.dispatch.BatchMaker;
import dev.millpond.engine.dispatch.KindPace;
import dev.millpond.engine.dispatch.Lane;
import dev.millpond.engine.dispatch.Lanes;
import dev.millpond.engine.dispatch.PriorityClasses;
import dev.millpond.engine.dispatch.store.DispatchStore;
import dev.millpond.engine.dispatch.streams.RedisServer;
import dev.millpond.engine.dispatch.streams.StreamsKeeper;
import dev.millpond.engine.lifecycle.store.Pg;
import dev.millpond.engine.lifecycle.store.Transactions;
import dev.millpond.engine.metrics.EngineMetrics;
import dev.millpond.engine.submit.JobIds;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;

/** What a role needs to be looked at alone: a leader, and a producer that fills the tables. */
final class RoleScene implements AutoCloseable {
  static final Lane LANE = new Lane("default", "normal");

  final Database database;
  final Fleet fleet;
  final Millpond producer;
  final Transactions transactions;
  final Leadership leadership;
  final BatchMaker maker = new BatchMaker(new JobIds(InstantSource.system()), 1);
  final KindPace pace = new KindPace();
  final Lanes lanes = new Lanes(PriorityClasses.DEFAULT);
  final EngineMetrics metrics = new EngineMetrics(new SimpleMeterRegistry());
  final AtomicInteger feedNews = new AtomicInteger();
  final Streams streams;

  RoleScene(Database database, Mode mode) {
    this.database = database;
    this.fleet = Fleet.on(database, mode);
    this.producer = fleet.patientProducer();
    this.transactions = new Transactions(Pg.pool(database.url(), "role", 4));
    this.leadership = new Leadership(transactions, UUID.randomUUID(), Duration.ofMinutes(1));
    List<StreamsKeeper> keepers = new ArrayList<>();
    for (String url : fleet.config().redisUrls()) {
      keepers.add(new StreamsKeeper(new RedisServer(0, url)));
    }
    this.streams = new Streams(keepers);
    lanes.learn(List.of(LANE.queue()));
    leadership.runOnce();
  }

  Reaper reaper() {
    return reaper(Reaper.Config.of(Timing.FAST));
  }

  Reaper reaper(Reaper.Config config) {
    return reaper(config, streams);
  }

  Reaper reaper(Reaper.Config config, Streams looksAt) {
    return new Reaper(
        leadership, looksAt, lanes, maker, metrics, config, feedNews::incrementAndGet);
  }

  List<UUID> submit(int jobs) {
    return Fleet.submit(producer, JobRequest.of("noop", ""), jobs);
  }

  /** All dispatch rows, oldest first. */
  List<Batch> batches() {
    return transactions.call(tx -> {
      List<Batch> batches = new ArrayList<>();
      try (PreparedStatement statement =
              tx.prepareStatement(
                  "SELECT " + DispatchStore.COLUMNS + " FROM millpond.dispatch ORDER BY id");
          ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          batches.add(DispatchStore.batch(rows));
        }
      }
      return batches;
    });
  }

  /** A session whose last beat was heard so long ago. */
  UUID session(Duration silentFor) {
    return session(silentFor, UUID.randomUUID());
  }

  /** A session of a process whose last beat was heard so long ago. */
  UUID session(Duration silentFor, UUID process) {
    UUID session = UUID.randomUUID();
    database.update(
        "INSERT INTO millpond.worker (session, process, host, pid, kinds, slots, lease, beat_at)"
            + " VALUES (?, ?, 'here', 1, '{noop}', 1, interval '2 s',"
            + " now() - ? * interval '1 ms')",
        session,
        process,
        silentFor.toMillis());
    return session;
  }

  /** As if the session had claimed all waiting rows. */
  void claimAll(UUID session) {
    database.update(
        "UPDATE millpond.dispatch SET claimed_by = ?, claimed_at = now(), sent_at = NULL", session);
  }

  /** As if the session ran these jobs, tracked. */
  void run(UUID session, List<UUID> jobs) {
    for (UUID job : jobs) {
      database.update(
          """
          INSERT INTO millpond.job_state (job_id, queue, class, kind, phase, lease_token, attempt,
                                          session, started_at, seen_at, deadline)
          VALUES (?, 'default', 'normal', 'noop', 'running', 1, 1, ?, now(), now(),
                  now() + interval '1 hour')
          """,
          job,
          session);
    }
    database.update("DELETE FROM millpond.dispatch");
  }

  long jobsAtToken(int token) {
    return database.number(
        "SELECT count(*) FROM millpond.job_state WHERE lease_token = ? AND phase = 'runnable'",
        token);
  }

  void end() {
    try {
      Books books = new Books(transactions, streams.keepers(), lanes, Duration.ofMillis(500));
      assertThat(books.check().findings()).isEmpty();
    } finally {
      close();
    }
  }

  @Override
  public void close() {
    streams.close();
    transactions.close();
    fleet.close();
  }
}
