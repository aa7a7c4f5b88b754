package dev.millpond.engine;

import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;

/** A UTC day long ago with partitions of its own, and jobs in it that are written by SQL. */
public final class OldDay {
  private final Database database;
  private final LocalDate day;

  private OldDay(Database database, LocalDate day) {
    this.database = database;
    this.day = day;
  }

  /** Makes the day's partitions. */
  public static OldDay of(Database database, int daysAgo) {
    LocalDate day = LocalDate.now(ZoneOffset.UTC).minusDays(daysAgo);
    database.number("SELECT millpond.ensure_partitions(?)::int", java.sql.Date.valueOf(day));
    database.update("INSERT INTO millpond.queue VALUES ('default') ON CONFLICT DO NOTHING");
    return new OldDay(database, day);
  }

  public LocalDate day() {
    return day;
  }

  /** Whether it still has partitions. */
  public boolean isThere() {
    return database.number(
            "SELECT count(*) FROM pg_class WHERE relnamespace = 'millpond'::regnamespace"
                + " AND relkind = 'r' AND relname ~ ?",
            "^job(_outcome|_attempt|_log)?_p" + day.toString().replace("-", "") + "$")
        > 0;
  }

  /** An id of that day. */
  public UUID id() {
    ThreadLocalRandom random = ThreadLocalRandom.current();
    Instant at =
        day.atStartOfDay(ZoneOffset.UTC).toInstant().plusMillis(random.nextInt(86_400_000));
    return new UUID(
        at.toEpochMilli() << 16 | 0x7000 | random.nextInt(0x1000),
        random.nextLong() >>> 2 | Long.MIN_VALUE);
  }

  /** A job without a holder. */
  public UUID job(String kind) {
    UUID id = id();
    database.update(
        "INSERT INTO millpond.job (id, queue, class, kind, payload)"
            + " VALUES (?, 'default', 'normal', ?, '\"\"')",
        id,
        kind);
    return id;
  }

  /** A job that ended so long ago. */
  public UUID ended(String outcome, Duration ago) {
    UUID id = job("noop");
    end(id, outcome, ago);
    return id;
  }

  public void end(UUID id, String outcome, Duration ago) {
    database.update(
        "INSERT INTO millpond.job_outcome (job_id, outcome, attempt, lease_token, ended_at)"
            + " VALUES (?, ?, 1, 1, now() - ? * interval '1 s')",
        id,
        outcome,
        ago.toSeconds());
  }

  /** A failed attempt with a line of its log. */
  public void attempt(UUID id, int token) {
    database.update(
        "INSERT INTO millpond.job_attempt (job_id, lease_token, attempt, ended, error_type)"
            + " VALUES (?, ?, ?, 'failed', 'Boom')",
        id,
        token,
        token);
    database.update("INSERT INTO millpond.job_log VALUES (?, ?, 1, now(), 'a line')", id, token);
  }

  /** A job that will run at a time. */
  public UUID scheduled(Duration in) {
    UUID id = job("noop");
    database.update(
        "INSERT INTO millpond.job_state (job_id, queue, class, kind, phase, lease_token, attempt,"
            + " run_at) VALUES (?, 'default', 'normal', 'noop', 'scheduled', 1, 1,"
            + " now() + ? * interval '1 s')",
        id,
        in.toSeconds());
    return id;
  }

  /** A dead letter of one attempt, that died so long ago. */
  public UUID dead(Duration ago) {
    UUID id = job("noop");
    attempt(id, 1);
    database.update(
        "INSERT INTO millpond.job_state (job_id, queue, class, kind, phase, lease_token, attempt)"
            + " VALUES (?, 'default', 'normal', 'noop', 'dead', 2, 1)",
        id);
    database.update(
        "INSERT INTO millpond.dead_letter (job_id, queue, class, kind, attempts, reason,"
            + " error_type, dead_at) VALUES (?, 'default', 'normal', 'noop', 1, 'fatal', 'Boom',"
            + " now() - ? * interval '1 s')",
        id,
        ago.toSeconds());
    return id;
  }

  /** A job that waits for a worker. */
  public UUID runnable() {
    return runnable("noop");
  }

  public UUID runnable(String kind) {
    UUID id = job(kind);
    dispatch(id, kind, Instant.now());
    database.update(
        "INSERT INTO millpond.queue_depth (queue, class, delta, bytes)"
            + " SELECT queue, class, 1, octet_length(payload) FROM millpond.job WHERE id = ?",
        id);
    return id;
  }

  /** A dispatch row that names a job and was made at a time. */
  public void dispatch(UUID id, Instant at) {
    dispatch(id, "noop", at);
  }

  private void dispatch(UUID id, String kind, Instant at) {
    database.update(
        "INSERT INTO millpond.dispatch (id, queue, class, kind, shard, job_ids)"
            + " VALUES (?, 'default', 'normal', ?, 0, ARRAY[?::uuid])",
        new UUID(
            at.toEpochMilli() << 16 | 0x7000,
            ThreadLocalRandom.current().nextLong() >>> 2 | Long.MIN_VALUE),
        kind,
        id);
  }
}
