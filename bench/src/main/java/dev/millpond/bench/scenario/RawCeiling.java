package dev.millpond.bench.scenario;

import dev.millpond.bench.servers.Database;
import dev.millpond.bench.servers.Processes;
import dev.millpond.engine.lifecycle.store.Pg;
import dev.millpond.engine.lifecycle.store.PgArray;
import dev.millpond.engine.submit.JobIds;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/**
 * The bare statements of the hot path on one connection, one flush after the other, each one round
 * trip and one commit, with the same binary arrays: what PostgreSQL and one writer can do at most.
 * Left out is all that makes it a queue: markers, gates, fences, depth, claim, load, the handlers.
 */
public final class RawCeiling {
  private static final double CPU_JOBS = 10_000;
  private static final int JOBS_PER_ROW = 64;
  private static final int LOCK_TIMEOUT_MILLIS = 250;
  private static final int SOCKET_TIMEOUT_SECONDS = 20;

  private static final String INSERT =
      """
      INSERT INTO millpond.job (id, queue, class, kind, payload, options)
      SELECT unnest(?::uuid[]), unnest(?::text[]), unnest(?::text[]), unnest(?::text[]),
             unnest(?::text[]), unnest(?::text[]);
      INSERT INTO millpond.dispatch (id, queue, class, kind, shard, job_ids)
      SELECT u.id, u.queue, u.class, u.kind, 0, (?::uuid[])[u.low:u.high]
      FROM unnest(?::uuid[], ?::text[], ?::text[], ?::text[], ?::int4[], ?::int4[])
           AS u (id, queue, class, kind, low, high)
      """;

  private static final String COMPLETE =
      """
      ;
      INSERT INTO millpond.job_outcome (job_id, outcome, attempt, lease_token, worker_id, started_at)
      SELECT unnest(?::uuid[]), 'succeeded', 1, 1, ?, unnest(?::timestamptz[]);
      DELETE FROM millpond.dispatch WHERE id = ANY (?::uuid[])
      """;

  private final JobIds ids = new JobIds(InstantSource.system());
  private final UUID worker = UUID.randomUUID();
  private final String payload;

  /** What a flush does. */
  public enum Part {
    /** Jobs and dispatch rows. */
    INSERT,
    /** The same, and in the same flush the outcomes of the flush before. */
    INSERT_AND_COMPLETE
  }

  /**
   * @param payload JSON of each job
   */
  public RawCeiling(String payload) {
    this.payload = payload;
  }

  @SuppressWarnings("ArrayRecordComponent") // the arrays go as they are into SQL
  private record Flush(UUID[] jobs, UUID[] rows) {}

  /** Measures some of them, on empty tables. */
  public Ceiling measure(Stage stage, Bare bare, long warmMillis) throws SQLException {
    Database database = stage.database();
    Part part = bare.part();
    int rows = bare.rows();
    database.empty();
    try (Connection connection =
            Pg.hot(database.url(), "millpond-bench", LOCK_TIMEOUT_MILLIS, SOCKET_TIMEOUT_SECONDS);
        PreparedStatement statement =
            connection.prepareStatement(part == Part.INSERT ? INSERT : INSERT + COMPLETE)) {
      Flush before = flush(0);
      long measureFrom = System.nanoTime() + warmMillis * 1_000_000;
      long until = measureFrom + stage.budget().millis() * 1_000_000;
      long began = 0;
      long jobs = 0;
      Double cpu = null;
      while (true) {
        long now = System.nanoTime();
        if (began == 0 && now >= measureFrom) {
          began = now;
          jobs = 0;
          cpu = Processes.tree(database.postmaster());
        }
        if (now >= until) {
          Double cpuNow = Processes.tree(database.postmaster());
          return new Ceiling(
              bare.name(stage.mode()),
              jobs / ((now - began) / 1e9),
              cpu == null || cpuNow == null ? null : (cpuNow - cpu) * CPU_JOBS / jobs);
        }
        Flush next = flush(rows);
        write(statement, part, next, before);
        before = next;
        jobs += rows;
      }
    }
  }

  private Flush flush(int size) {
    UUID[] jobs = new UUID[size];
    for (int i = 0; i < size; i++) {
      jobs[i] = ids.get();
    }
    UUID[] rows = new UUID[(size + JOBS_PER_ROW - 1) / JOBS_PER_ROW];
    for (int i = 0; i < rows.length; i++) {
      rows[i] = ids.get();
    }
    return new Flush(jobs, rows);
  }

  private void write(PreparedStatement statement, Part part, Flush next, Flush before)
      throws SQLException {
    List<UUID> jobs = List.of(next.jobs());
    List<UUID> rows = List.of(next.rows());
    PgArray ids = PgArray.uuids(next.jobs());
    int i = 0;
    statement.setObject(++i, ids);
    statement.setObject(++i, PgArray.texts(jobs, id -> "default"));
    statement.setObject(++i, PgArray.texts(jobs, id -> "normal"));
    statement.setObject(++i, PgArray.texts(jobs, id -> Bed.KIND));
    statement.setObject(++i, PgArray.texts(jobs, id -> payload));
    statement.setObject(++i, PgArray.texts(jobs, id -> null));
    statement.setObject(++i, ids);
    statement.setObject(++i, PgArray.uuids(next.rows()));
    statement.setObject(++i, PgArray.texts(rows, id -> "default"));
    statement.setObject(++i, PgArray.texts(rows, id -> "normal"));
    statement.setObject(++i, PgArray.texts(rows, id -> Bed.KIND));
    statement.setObject(++i, PgArray.ints(rows.size(), row -> row * JOBS_PER_ROW + 1));
    statement.setObject(
        ++i, PgArray.ints(rows.size(), row -> Math.min((row + 1) * JOBS_PER_ROW, jobs.size())));
    if (part == Part.INSERT_AND_COMPLETE) {
      long nowMicros = System.currentTimeMillis() * 1_000;
      List<UUID> ended = new ArrayList<>(List.of(before.jobs()));
      statement.setObject(++i, PgArray.uuids(before.jobs()));
      statement.setObject(++i, worker);
      statement.setObject(++i, PgArray.instants(ended, id -> nowMicros));
      statement.setObject(++i, PgArray.uuids(before.rows()));
    }
    statement.execute();
  }
}
