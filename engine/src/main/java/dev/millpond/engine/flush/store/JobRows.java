package dev.millpond.engine.flush.store;

import dev.millpond.engine.dispatch.Lane;
import dev.millpond.engine.dispatch.store.DepthStore.Change;
import dev.millpond.engine.flush.NewJob;
import dev.millpond.engine.flush.NewJob.Start;
import dev.millpond.engine.flush.Routed;
import dev.millpond.engine.lifecycle.store.PgArray;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/**
 * The statements that write new jobs with what holds them: a dispatch row for what runs now, a
 * state row for what is scheduled. What expires has a row for that.
 *
 * @param jobs all new jobs
 * @param batches made of those that run now; all tokens are 1
 * @param session that keeps those batches that this node keeps
 */
record JobRows(List<NewJob> jobs, List<Routed> batches, UUID session) {
  private static final String JOBS =
      """
      INSERT INTO millpond.job (id, queue, class, kind, payload, options)
      SELECT unnest(?::uuid[]), unnest(?::text[]), unnest(?::text[]), unnest(?::text[]),
             unnest(?::text[]), unnest(?::text[])
      """;

  private static final String SCHEDULED =
      """
      INSERT INTO millpond.job_state (job_id, queue, class, kind, phase, lease_token, attempt, run_at)
      SELECT u.id, u.queue, u.class, u.kind, 'scheduled', 1, 1,
             coalesce(u.at, now() + u.delay * interval '1 microsecond')
      FROM unnest(?::uuid[], ?::text[], ?::text[], ?::text[], ?::timestamptz[], ?::int8[])
           AS u (id, queue, class, kind, at, delay)
      """;

  private static final String EXPIRIES =
      """
      INSERT INTO millpond.job_expiry (job_id, expires_at, look_at)
      SELECT u.id, u.at, u.at FROM unnest(?::uuid[], ?::timestamptz[]) AS u (id, at)
      """;

  /** Each batch's ids are a slice of one long array: rows of uneven arrays cannot be unnested. */
  private static final String DISPATCH =
      """
      INSERT INTO millpond.dispatch (id, queue, class, kind, shard, job_ids, sent_at, claimed_by, claimed_at)
      SELECT u.id, u.queue, u.class, u.kind, u.shard, (?::uuid[])[u.low:u.high],
             CASE WHEN u.route = 1 THEN now() END,
             CASE WHEN u.route = 2 THEN ?::uuid END, CASE WHEN u.route = 2 THEN now() END
      FROM unnest(?::uuid[], ?::text[], ?::text[], ?::text[], ?::int4[], ?::int4[], ?::int4[], ?::int4[])
           AS u (id, queue, class, kind, shard, low, high, route)
      """;

  /** What those that run now add to the depth, for each lane. */
  Map<Lane, Change> comes() {
    Map<Lane, Change> depth = new HashMap<>();
    for (NewJob job : jobs) {
      if (job.runsNow()) {
        Lane lane = new Lane(job.queue(), job.priorityClass());
        depth.merge(lane, new Change(lane, 1, 0, job.payloadBytes()), Change::plus);
      }
    }
    return depth;
  }

  private List<NewJob> scheduled() {
    return jobs.stream().filter(j -> !j.runsNow()).toList();
  }

  private List<NewJob> expiring() {
    return jobs.stream().filter(j -> j.expiresAt() != null).toList();
  }

  /** The statements in order; {@link #bind} fills them. Empty when there is nothing to write. */
  List<String> statements() {
    List<String> statements = new ArrayList<>(4);
    if (!jobs.isEmpty()) {
      statements.add(JOBS);
    }
    if (!scheduled().isEmpty()) {
      statements.add(SCHEDULED);
    }
    if (!expiring().isEmpty()) {
      statements.add(EXPIRIES);
    }
    if (!batches.isEmpty()) {
      statements.add(DISPATCH);
    }
    return statements;
  }

  /** Fills the parameters after {@code at}; gives the last one filled. */
  int bind(PreparedStatement statement, int at) throws SQLException {
    int i = at;
    if (!jobs.isEmpty()) {
      i = bindJobs(statement, i);
    }
    List<NewJob> scheduled = scheduled();
    if (!scheduled.isEmpty()) {
      i = bindScheduled(statement, i, scheduled);
    }
    List<NewJob> expiring = expiring();
    if (!expiring.isEmpty()) {
      statement.setObject(++i, PgArray.uuids(expiring, NewJob::id));
      statement.setObject(++i, PgArray.instants(expiring, JobRows::expiresMicros));
    }
    if (!batches.isEmpty()) {
      i = bindDispatch(statement, i);
    }
    return i;
  }

  private int bindJobs(PreparedStatement statement, int at) throws SQLException {
    int i = at;
    statement.setObject(++i, PgArray.uuids(jobs, NewJob::id));
    statement.setObject(++i, PgArray.texts(jobs, NewJob::queue));
    statement.setObject(++i, PgArray.texts(jobs, NewJob::priorityClass));
    statement.setObject(++i, PgArray.texts(jobs, NewJob::kind));
    statement.setObject(++i, PgArray.texts(jobs, NewJob::payload));
    statement.setObject(++i, PgArray.texts(jobs, NewJob::options));
    return i;
  }

  private static long expiresMicros(NewJob job) {
    return job.expiresAt() == null
        ? PgArray.NULL
        : ChronoUnit.MICROS.between(Instant.EPOCH, job.expiresAt());
  }

  private static int bindScheduled(PreparedStatement statement, int at, List<NewJob> scheduled)
      throws SQLException {
    int i = at;
    statement.setObject(++i, PgArray.uuids(scheduled, NewJob::id));
    statement.setObject(++i, PgArray.texts(scheduled, NewJob::queue));
    statement.setObject(++i, PgArray.texts(scheduled, NewJob::priorityClass));
    statement.setObject(++i, PgArray.texts(scheduled, NewJob::kind));
    statement.setObject(
        ++i,
        PgArray.instants(
            scheduled, j -> j.start() instanceof Start.At t ? t.epochMicros() : PgArray.NULL));
    statement.setObject(
        ++i,
        PgArray.longs(
            scheduled, j -> j.start() instanceof Start.In in ? in.delayMicros() : PgArray.NULL));
    return i;
  }

  private int bindDispatch(PreparedStatement statement, int at) throws SQLException {
    int count = batches.size();
    int[] low = new int[count];
    int[] high = new int[count];
    List<UUID> flat = new ArrayList<>();
    for (int b = 0; b < count; b++) {
      low[b] = flat.size() + 1;
      flat.addAll(List.of(batches.get(b).batch().jobIds()));
      high[b] = flat.size();
    }
    int i = at;
    statement.setObject(++i, PgArray.uuids(flat.toArray(UUID[]::new)));
    statement.setObject(++i, session);
    statement.setObject(++i, PgArray.uuids(batches, b -> b.batch().id()));
    statement.setObject(++i, PgArray.texts(batches, b -> b.batch().lane().queue()));
    statement.setObject(++i, PgArray.texts(batches, b -> b.batch().lane().priorityClass()));
    statement.setObject(++i, PgArray.texts(batches, b -> b.batch().kind()));
    statement.setObject(++i, PgArray.ints(batches, b -> b.batch().shard()));
    statement.setObject(++i, PgArray.ints(count, b -> low[b]));
    statement.setObject(++i, PgArray.ints(count, b -> high[b]));
    statement.setObject(++i, PgArray.ints(batches, b -> b.route().code()));
    return i;
  }
}
