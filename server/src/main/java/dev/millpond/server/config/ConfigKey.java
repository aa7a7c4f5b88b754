package dev.millpond.server.config;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The table of all configuration keys. A key {@code pg.url} is {@code millpond.pg.url} in a file,
 * {@code MILLPOND_PG_URL} in the environment and {@code --pg-url} on the command line.
 */
public enum ConfigKey {
  PG_URL(
      "pg.url",
      "URL",
      null,
      "JDBC URL of PostgreSQL 15 to 18, with the user:"
          + " jdbc:postgresql://host/db?user=u&password=p."),
  REDIS_URLS(
      "redis.urls",
      "URL[,URL]",
      "",
      "Redis servers (7.0 or newer): redis://host:port, new ones last; #N at the end keeps a"
          + " server's number when one before it is taken out. Or nodes of one Redis Cluster:"
          + " redis-cluster://host:port. None: PostgreSQL only."),
  REDIS_SHARDS(
      "redis.shards",
      "N",
      null,
      "Streams of each queue and class over all servers. Default: one a server, or a node named."),
  ROLE("role", "ROLE[,ROLE]", "all", "What this process does: all, api, worker, maintenance."),
  HTTP_BIND(
      "http.bind",
      "ADDRESS",
      "127.0.0.1",
      "Address to listen on; another one than loopback only with auth.mode=keys."),
  HTTP_PORT("http.port", "PORT", "8080", "Port to listen on; 0 takes a free one."),
  HTTP_PROXIES(
      "http.proxies",
      "RANGE[,RANGE]",
      "",
      "Addresses and ranges of reverse proxies that are believed about a caller's address, for the"
          + " audit and for whoever sends wrong keys. None: it is the address that connects."),
  HTTP_PROXY_HEADER(
      "http.proxy-header",
      "NAME",
      "X-Forwarded-For",
      "Header in which these proxies name a caller, each adding whom it was called by; no other one"
          + " is read."),
  WORKER_SLOTS(
      "worker.slots", "N", null, "Jobs a worker runs at once. Default: 8 a core, at least 16."),
  FORKED_WARM(
      "forked.warm", "N", "1", "Child processes kept ready where a kind runs forked, 0 to 1000."),
  FORKED_HEAP(
      "forked.heap.mib", "N", "256", "Heap of a child in MiB; one that runs out ends its job."),
  FORKED_METASPACE("forked.metaspace.mib", "N", "128", "Metaspace of a child in MiB."),
  FORKED_DIRECT("forked.direct.mib", "N", "64", "Direct buffers of a child in MiB."),
  FORKED_CODE_CACHE("forked.code-cache.mib", "N", "64", "Compiled code of a child in MiB."),
  FORKED_RSS(
      "forked.rss.mib",
      "N",
      "0",
      "Memory in use at which a child is killed, in MiB. 0: the sum of the four above and 192."),
  FORKED_THREADS("forked.threads", "N", "512", "Threads at which a child is killed."),
  FORKED_FILES("forked.files", "N", "1024", "Open files at which a child is killed."),
  FORKED_JOBS("forked.jobs", "N", "1000", "Jobs after which a child is replaced."),
  FORKED_AGE("forked.age", "DURATION", "1h", "Age at which a child is replaced, between two jobs."),
  FORKED_GRACE(
      "forked.grace",
      "DURATION",
      "100ms",
      "Time between SIGTERM and SIGKILL of a child, 0s to 1m."),
  FORKED_CANCEL_GRACE(
      "forked.cancel-grace",
      "DURATION",
      "5s",
      "How long a forked handler may take to stop when its job is cancelled, 0s to 1m."),
  FORKED_JAVA_OPTIONS(
      "forked.java-options", "OPTION[,OPTION]", "", "Further options of the children's JVM."),
  CLASSES(
      "classes",
      "CLASS=WEIGHT[,CLASS=WEIGHT]",
      "critical=60,high=30,normal=10",
      "Priority classes, most urgent first, with their weights unless a queue has others; normal"
          + " among them. The same in all processes."),
  QUEUE_HIGH_WATERMARK(
      "queue.high-watermark",
      "N",
      "10000",
      "Depth at which a queue refuses new jobs unless it has a mark of its own, 2 to 1000000000, or"
          + " none. The same in all processes."),
  QUEUE_LOW_WATERMARK(
      "queue.low-watermark",
      "N",
      null,
      "Depth below which a full queue takes jobs again, below the high watermark. Default: a fifth"
          + " of it. The same in all processes."),
  QUEUE_HIGH_WATERMARK_MIB(
      "queue.high-watermark.mib",
      "N",
      "1024",
      "MiB of payloads at which a queue refuses new jobs unless it has a mark of its own, 2 to"
          + " 1048576, or none. The same in all processes."),
  QUEUE_LOW_WATERMARK_MIB(
      "queue.low-watermark.mib",
      "N",
      null,
      "MiB of payloads below which a full queue takes jobs again, below the high watermark."
          + " Default: a fifth of it. The same in all processes."),
  WORKER_VISIBILITY(
      "worker.visibility",
      "CLASS=DURATION[,CLASS=DURATION]",
      "critical=30s,high=1m,normal=2m,*=2m",
      "How long a running job of a class may go without a sign of life from its live worker before"
          + " it is rescued; * for other classes."),
  WORKER_ABANDONED(
      "worker.abandoned",
      "N",
      null,
      "Threads that handlers may hold after their hard timeout; with more the worker drains and"
          + " the process exits with 70. Default: one a core, at least 2."),
  PAYLOAD_BYTES("payload.bytes", "N", "262144", "Most bytes of a job's payload, 1024 to 4194304."),
  RESULT_BYTES(
      "result.bytes",
      "N",
      "65536",
      "Most bytes of a handler's result, 1024 to 1048576; a larger one fails its job for good."),
  BATCH_JOBS("batch.jobs", "N", "10000", "Most jobs committed together, 1 to 10000."),
  IDEMPOTENCY_TTL(
      "idempotency.ttl",
      "DURATION",
      "24h",
      "How long an idempotency key is remembered, 1m to 30d. Jobs are kept at least as long."),
  HTTP_BODY_BYTES(
      "http.body.bytes",
      "N",
      "16777216",
      "Most bytes of a JSON body, 4096 to 67108864; not less than a payload may have."),
  HTTP_NDJSON_BYTES(
      "http.ndjson.bytes",
      "N",
      "67108864",
      "Most bytes of an application/x-ndjson body, from http.body.bytes to 268435456."),
  WEBHOOK_SECRET_FILE(
      "webhook.secret-file",
      "FILE",
      null,
      "File with the secret that signs webhooks: 24 to 64 random bytes in base64; a second line"
          + " while it is changed. None: jobs with a webhook are refused."),
  WEBHOOK_ALLOW(
      "webhook.allow",
      "TARGET[,TARGET]",
      "",
      "Addresses, ranges and hosts that webhooks may call besides the public internet."),
  HTTP_TIMEOUT(
      "http.timeout",
      "DURATION",
      "30s",
      "Silence, or time for a head to be whole, after which a connection is cut; a body may take"
          + " twice as long."),
  HANDLERS("handlers", "JAR[,JAR]", "", "Jars with a HandlerModule, for the worker role."),
  DRAIN_TIMEOUT(
      "drain.timeout",
      "DURATION",
      "30s",
      "How long running jobs may take to finish after SIGTERM; what is left is handed back."),
  TIMING("timing", "PROFILE", "default", "Leases and beats of the fleet: default or fast."),
  TIMING_LEASE("timing.lease", "DURATION", null, "Silence after which a session is fenced."),
  TIMING_BEAT("timing.beat", "DURATION", null, "How often a session says that it lives."),
  TIMING_SETTLE("timing.settle", "DURATION", null, "How long a batch may stay undecided."),
  TIMING_SCAN("timing.scan", "DURATION", null, "How often the maintenance roles look."),
  RETENTION_SUCCEEDED(
      "retention.succeeded",
      "DURATION",
      "7d",
      "How long jobs that succeeded are kept after their end, 1h or more; they go with their day."),
  RETENTION_CANCELLED(
      "retention.cancelled",
      "DURATION",
      "7d",
      "How long cancelled jobs are kept after their end, 1h or more; they go with their day."),
  RETENTION_DEAD(
      "retention.dead",
      "DURATION",
      null,
      "How long dead letters are kept, 1h or more. None: until they are redriven."),
  BOOKS_EVERY(
      "books.every",
      "DURATION",
      null,
      "How often the process that leads checks the books, 1s to 30d, which reads all jobs; what it"
          + " finds is logged and a metric. None: only doctor does."),
  DATA_DIR("data.dir", "DIR", ".millpond", "Directory for this process's files."),
  RUN_FILE(
      "run.file",
      "FILE",
      null,
      "Where the actual address is written, as JSON. Default: run.json in the data directory."),
  AUTH_MODE(
      "auth.mode",
      "MODE",
      "none",
      "How callers are known: none (this machine may call, nobody else), keys (by their key)."),
  METRICS_OPEN(
      "metrics.open",
      "BOOLEAN",
      "false",
      "Whether /metrics needs no key where other paths do. It names queues and kinds."),
  AUDIT_RETENTION(
      "audit.retention",
      "DURATION",
      "90d",
      "How long it is kept what callers have changed, and keys that have ended; 1h or more."),
  TRACE_OTLP_URL(
      "trace.otlp-url",
      "URL",
      null,
      "OpenTelemetry collector that takes spans by OTLP over HTTP: http://host:4318. None: no spans"
          + " are made; a traceparent that comes with a submit travels with its jobs all the"
          + " same."),
  TRACE_RATIO(
      "trace.ratio",
      "NUMBER",
      "1",
      "Of the requests of the API that belong to no trace, the part that begin one, 0 to 1."),
  LOG_FORMAT("log.format", "FORMAT", "text", "Form of a line of the log: text or json."),
  LOG_LEVEL("log.level", "LEVEL", "info", "Least level logged: error, warn, info, debug, trace.");

  static final String PREFIX = "millpond.";
  static final String ENV_PREFIX = "MILLPOND_";

  private final String suffix;
  private final String placeholder;
  private final @Nullable String standard;
  private final String description;

  ConfigKey(String suffix, String placeholder, @Nullable String standard, String description) {
    this.suffix = suffix;
    this.placeholder = placeholder;
    this.standard = standard;
    this.description = description;
  }

  /** The name in files and messages: {@code millpond.pg.url}. */
  public String key() {
    return PREFIX + suffix;
  }

  /** The name in the environment: {@code MILLPOND_PG_URL}. */
  public String env() {
    return ENV_PREFIX + suffix.replace('.', '_').replace('-', '_').toUpperCase(Locale.ROOT);
  }

  /** The name on the command line: {@code --pg-url}. */
  public String flag() {
    return "--" + suffix.replace('.', '-');
  }

  /** What stands for the value in help texts. */
  public String placeholder() {
    return placeholder;
  }

  /** The value where nobody says otherwise; null for none, or for one that is computed. */
  public @Nullable String standard() {
    return standard;
  }

  public String description() {
    return description;
  }

  /** Whether the value is a list, and its flag may be repeated. */
  public boolean list() {
    return placeholder.endsWith("]");
  }

  static Optional<ConfigKey> ofKey(String key) {
    return Arrays.stream(values()).filter(k -> k.key().equals(key)).findFirst();
  }

  static Optional<ConfigKey> ofEnv(String env) {
    return Arrays.stream(values()).filter(k -> k.env().equals(env)).findFirst();
  }

  static List<String> keys() {
    return Arrays.stream(values()).map(ConfigKey::key).toList();
  }

  static List<String> envs() {
    return Arrays.stream(values()).map(ConfigKey::env).toList();
  }
}
