package dev.millpond.engine.metrics;

import static dev.millpond.engine.metrics.Metric.BYTES;
import static dev.millpond.engine.metrics.Metric.SECONDS;
import static dev.millpond.engine.metrics.Metric.Type.COUNTER;
import static dev.millpond.engine.metrics.Metric.Type.GAUGE;
import static dev.millpond.engine.metrics.Metric.Type.HISTOGRAM;
import static dev.millpond.engine.metrics.Metric.Type.SUMMARY;

/**
 * The metrics of the engine. What is said of the whole fleet comes from the leader alone, so that
 * each value is there once; in the document such metrics are marked.
 */
@SuppressWarnings("ImmutableEnumChecker") // a record of texts and a list that does not change
public enum EngineMetric {
  SUBMITTED("jobs.submitted", COUNTER, "", "Jobs committed by a submit", Labels.SORT),
  STARTED("jobs.started", COUNTER, "", "Attempts started", Labels.SORT),
  COMPLETED("jobs.completed", COUNTER, "", "Jobs that succeeded", Labels.SORT),
  FAILED("jobs.failed", COUNTER, "", "Attempts that failed", Labels.SORT),
  RETRIED("jobs.retried", COUNTER, "", "Failed attempts that are tried again", Labels.SORT),
  DEAD("jobs.dead", COUNTER, "", "Jobs that became dead letters", Labels.SORT),
  RESCUED("jobs.rescued", COUNTER, "", "Jobs taken back from a lost worker", Labels.SORT),
  RECONCILED("jobs.reconciled", COUNTER, "", "Jobs whose stream entry had vanished", Labels.SORT),
  REFUSED("jobs.refused", COUNTER, "", "Jobs refused since their queue was full", Labels.SORT),
  STALE("jobs.stale", COUNTER, "", "Writes of attempts that had lost their job", Labels.SORT),
  CANCELLED("jobs.cancelled", COUNTER, "", "Jobs that ended as cancelled", Labels.SORT),

  JOB_WAIT(
      "job.wait",
      HISTOGRAM,
      SECONDS,
      "From submit to the claim of a first attempt; one job of each batch is measured",
      "queue",
      "class"),
  JOB_RUN("job.run", HISTOGRAM, SECONDS, "Run time of attempts", Labels.SORT),
  ESTIMATE_ERROR(
      "start.estimate.error",
      HISTOGRAM,
      SECONDS,
      "How far predicted starts of jobs were off; one job a second is followed",
      "queue"),

  FLUSH(
      "flush", HISTOGRAM, SECONDS, "Time of a flush, from its first sending to its commit", "lane"),
  FLUSH_JOBS("flush.jobs", HISTOGRAM, "", "Rows of jobs and outcomes in a flush", "lane"),
  OUTCOMES_REFUSED("outcomes.refused", COUNTER, "", "Outcomes that PostgreSQL would not take"),
  UNWRITTEN(
      "unwritten.bytes", GAUGE, BYTES, "Ends of jobs that wait in this process to be written"),
  SUBMITS_WAITING(
      "submits.waiting", GAUGE, "", "Submits of this process that wait for room in a full queue"),

  QUEUE_DEPTH(
      "queue.depth",
      GAUGE,
      "",
      "Jobs of a queue: runnable (those that run among them) by class, scheduled, dead",
      true,
      "queue",
      "class",
      "state"),
  QUEUE_OLDEST_AGE(
      "queue.oldest.age.seconds",
      GAUGE,
      SECONDS,
      "Age of the oldest batch on its way",
      true,
      "queue"),
  QUEUE_DRAIN(
      "queue.drain", GAUGE, "", "Jobs that leave a queue in a second, as measured", true, "queue"),
  QUEUE_WATERMARK(
      "queue.watermark",
      GAUGE,
      "",
      "Depth at which a queue closes (high) or opens again (low); none where it never closes",
      true,
      "queue",
      "mark"),
  QUEUE_BYTES(
      "queue.payload.bytes",
      GAUGE,
      BYTES,
      "Bytes of the payloads of a queue's runnable jobs",
      true,
      "queue"),
  QUEUE_WATERMARK_BYTES(
      "queue.watermark.bytes",
      GAUGE,
      BYTES,
      "The same as watermark, of the bytes of payloads",
      true,
      "queue",
      "mark"),
  GATE_CLOSED("gate.closed", GAUGE, "", "1 while a queue is full and refuses jobs", true, "queue"),
  LIMIT_RUNNING(
      "limit.running",
      GAUGE,
      "",
      "Jobs of a queue or kind that run under its limit of jobs at a time",
      true,
      "scope",
      "name"),
  LIMIT_CONCURRENCY(
      "limit.concurrency", GAUGE, "", "As many as that limit lets run", true, "scope", "name"),
  LIMIT_TOKENS(
      "limit.tokens",
      GAUGE,
      "",
      "Jobs of a queue or kind that its rate would let start at once",
      true,
      "scope",
      "name"),
  PAUSED(
      "paused",
      GAUGE,
      "",
      "1 for each queue, kind and tag that is paused; tags beyond 50 are added up as _other",
      true,
      "scope",
      "name"),
  KIND_WORKERS(
      "kind.workers",
      GAUGE,
      "",
      "Live workers that run a kind; 0 for one that has jobs and no worker",
      true,
      "kind"),
  WORKERS("workers", GAUGE, "", "Workers by state: active, draining, silent, lost", true, "state"),
  DEPTH_DRIFT_BYTES(
      "depth.drift.bytes",
      COUNTER,
      BYTES,
      "Bytes by which counted depths were off when counted anew"),
  DEPTH_DRIFT(
      "depth.drift.jobs", COUNTER, "", "Jobs by which counted depths were off when counted anew"),

  WORKER_SLOTS(
      "worker.slots", GAUGE, "", "Slots: busy, free; threads given up: abandoned", "state"),
  WORKER_DRAINING(
      "worker.draining",
      GAUGE,
      "",
      "1 while it takes no jobs, as an operator has asked, or since it ends"),
  HEARTBEAT_AGE(
      "worker.heartbeat.age.seconds", GAUGE, SECONDS, "Time since the last beat that was heard"),
  WORKER_FENCED(
      "worker.fenced", COUNTER, "", "Times that this worker gave up its session, and all it ran"),
  FORKED_CHILDREN("forked.children", GAUGE, "", "Child processes: busy, idle", "state"),
  FORKED_STARTED("forked.started", COUNTER, "", "Child processes started"),

  LEADER("leader", GAUGE, "", "1 while this process is the leader"),
  ROLE_TURN("role.turn", SUMMARY, SECONDS, "Turns of the leader's roles", "role"),
  ROLE_FAILURES("role.failures", COUNTER, "", "Turns of the leader's roles that failed", "role"),
  ROLE_AGE(
      "role.age.seconds",
      GAUGE,
      SECONDS,
      "Time since a role of the leader last had a turn that did not fail; 0 where it has none",
      "role"),
  SESSIONS_FENCED(
      "reaper.fenced", COUNTER, "", "Silent sessions fenced, whose jobs were taken back"),
  RECONCILER_MISSING(
      "reconciler.missing", GAUGE, "", "Batches not found on their stream in the last look"),
  BOOKS_FINDINGS(
      "books.findings", GAUGE, "", "What the last check of the books found, by rule", "rule"),
  BOOKS_AGE("books.age.seconds", GAUGE, SECONDS, "Time since this process last checked the books"),
  RETENTION_DAYS("retention.days.dropped", COUNTER, "", "Days whose partitions were dropped"),
  RETENTION_DROPPED("retention.jobs.dropped", COUNTER, "", "Ended jobs that went with their day"),
  RETENTION_TRIMMED("retention.jobs.trimmed", COUNTER, "", "Ended jobs removed one by one"),
  RETENTION_MOVED("retention.survivors.moved", COUNTER, "", "Jobs kept when their day was dropped"),
  RETENTION_DEAD(
      "retention.dead.letters.removed",
      COUNTER,
      "",
      "Dead letters older than millpond.retention.dead"),
  RETENTION_LOCKED(
      "retention.lock.failures",
      COUNTER,
      "",
      "Drops put off because a transaction held the tables"),

  SHARD_UP("shard.up", GAUGE, "", "1 while the shard's server answers", "shard"),
  SHARD_USABLE(
      "shard.usable", GAUGE, "", "1 while new batches are put on the shard's streams", "shard"),
  SHARD_ABSENCES(
      "shard.absences", COUNTER, "", "Times that the shard's server was left alone", "shard"),
  REDIS_MEMORY(
      "redis.memory.bytes",
      GAUGE,
      BYTES,
      "Memory of a shard's server: used, max",
      true,
      "shard",
      "of"),
  REDIS_CLIENTS("redis.clients", GAUGE, "", "Clients of a shard's server", true, "shard"),
  REDIS_COMMANDS(
      "redis.commands.per.second",
      GAUGE,
      "",
      "Commands that a shard's server did in a second",
      true,
      "shard"),
  STREAM_ENTRIES(
      "stream.entries", GAUGE, "", "Entries of all streams of a shard's server", true, "shard"),

  POSTGRES_UP(
      "postgres.up",
      GAUGE,
      "",
      "1 while PostgreSQL answers this process, which asks twice a second"),
  BELL_HEARD(
      "bell.heard",
      GAUGE,
      "",
      "1 while this process hears when others leave work in PostgreSQL; otherwise it looks often"),
  POSTGRES_CONNECTIONS(
      "postgres.connections", GAUGE, "", "Connections of the server by state", true, "state"),
  POSTGRES_CONNECTIONS_MAX(
      "postgres.connections.max", GAUGE, "", "Connections that the server takes", true),
  POSTGRES_OLDEST(
      "postgres.oldest.transaction.seconds",
      GAUGE,
      SECONDS,
      "Age of the oldest transaction in the database, as far as its user may be seen",
      true),
  POSTGRES_LOCKED(
      "postgres.lock.waits", GAUGE, "", "Connections of the database that wait for a lock", true),
  POSTGRES_BYTES(
      "postgres.database.bytes",
      GAUGE,
      BYTES,
      "Size of the database, looked at once a minute",
      true),
  POSTGRES_ROWS(
      "postgres.rows",
      GAUGE,
      "",
      "Rows of a table that changes, as PostgreSQL estimates: live, dead",
      true,
      "table",
      "of"),
  POSTGRES_WAL(
      "postgres.wal.bytes.per.second",
      GAUGE,
      BYTES,
      "Write-ahead log of the server in a second",
      true),
  POSTGRES_COMMITS(
      "postgres.commits.per.second",
      GAUGE,
      "",
      "Transactions that the database commits in a second",
      true),
  POSTGRES_ROLLBACKS(
      "postgres.rollbacks.per.second",
      GAUGE,
      "",
      "Transactions that the database rolls back in a second",
      true),

  THREADS_LOST(
      "threads.lost",
      GAUGE,
      "",
      "Threads that have ended by themselves: above 0 the process should end");

  private final Metric metric;
  private final boolean leaders;

  EngineMetric(String name, Metric.Type type, String unit, String meaning, String... labels) {
    this(name, type, unit, meaning, false, labels);
  }

  EngineMetric(
      String name,
      Metric.Type type,
      String unit,
      String meaning,
      boolean leaders,
      String... labels) {
    this.metric = Metric.of("millpond." + name, type, unit, meaning, labels);
    this.leaders = leaders;
  }

  public Metric metric() {
    return metric;
  }

  /** Whether the leader alone has it, for the whole fleet. */
  public boolean leaders() {
    return leaders;
  }

  private static final class Labels {
    static final String[] SORT = {"queue", "class", "kind"};
  }
}
