package dev.millpond.server.browser;

import dev.millpond.api.JobRequest;
import dev.millpond.embedded.MeasuredPostgres;
import dev.millpond.embedded.TestRedis;
import dev.millpond.embedded.TestServers;
import dev.millpond.engine.Millpond;
import dev.millpond.server.config.ConfigKey;
import dev.millpond.server.support.Checkout;
import dev.millpond.server.support.LiveServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * A server with millions of jobs of all states in its PostgreSQL, those of the benchmark of the
 * lists, and a worker that runs a few for as long as it lives.
 */
final class LargeFleet implements AutoCloseable {
  /** How many jobs to make, in a PostgreSQL of this JVM. */
  static final String JOBS = "millpond.dashboard.jobs";

  /** A database that has them already, as {@code ListBench load} makes it. */
  static final String PG_URL = "millpond.dashboard.pg-url";

  private static final String SQL = "bench/src/main/resources/dev/millpond/bench/lists/jobs.sql";

  /** Queues beside those of the benchmark, as an installation of many customers has them. */
  private static final int QUEUES = 60;

  /** Jobs that run for as long as somebody looks. */
  private static final int LONG_JOBS = 40;

  private static final int LIST = 1_000;

  /** Jobs that are on their way at most, so that the load is what goes through. */
  private static final int UNDERWAY = 40 * LIST;

  private static final int SUBMITTERS = 2;

  private final @Nullable MeasuredPostgres postgres;
  private final TestRedis redis;
  private final LiveServer live;
  private final String pgUrl;
  private final AtomicBoolean over = new AtomicBoolean();
  private final AtomicLong done = new AtomicLong();
  private final Semaphore room = new Semaphore(UNDERWAY);
  private final AtomicBoolean loading = new AtomicBoolean();
  private final List<Thread> submitters = new ArrayList<>();

  private LargeFleet(
      @Nullable MeasuredPostgres postgres, TestRedis redis, LiveServer live, String pgUrl) {
    this.postgres = postgres;
    this.redis = redis;
    this.live = live;
    this.pgUrl = pgUrl;
  }

  static LargeFleet start(Path directory) throws IOException, SQLException {
    String given = System.getProperty(PG_URL);
    if (given != null) {
      Millpond.migrate(given);
      return start(directory, null, given);
    }
    MeasuredPostgres postgres = MeasuredPostgres.start();
    return start(directory, postgres, filled(postgres));
  }

  private static LargeFleet start(
      Path directory, @Nullable MeasuredPostgres postgres, String pgUrl) {
    TestRedis redis = TestServers.get().redis();
    LiveServer live =
        LiveServer.start(
            directory.resolve("server"),
            Map.of(
                ConfigKey.ROLE, "api,maintenance",
                ConfigKey.TIMING, "default",
                ConfigKey.PG_URL, pgUrl,
                ConfigKey.REDIS_URLS, redis.url(),
                ConfigKey.RETENTION_SUCCEEDED, "30d",
                ConfigKey.RETENTION_CANCELLED, "30d",
                ConfigKey.QUEUE_HIGH_WATERMARK, "1000000",
                ConfigKey.WORKER_SLOTS, "64"));
    LargeFleet fleet = new LargeFleet(postgres, redis, live, pgUrl);
    fleet.work();
    return fleet;
  }

  private static String filled(MeasuredPostgres postgres) throws IOException, SQLException {
    int jobs = Integer.parseInt(System.getProperty(JOBS, "0"));
    postgres.execute("ALTER SYSTEM SET autovacuum = on");
    postgres.execute("SELECT pg_reload_conf()");
    String pgUrl = postgres.freshDatabase();
    Millpond.migrate(pgUrl);
    long began = System.nanoTime();
    String sql = Files.readString(Checkout.path(SQL)).replace(":jobs", Integer.toString(jobs));
    try (Connection connection = DriverManager.getConnection(pgUrl);
        Statement statement = connection.createStatement()) {
      for (String part : sql.split(";\n", -1)) {
        if (!part.isBlank()) {
          statement.execute(part);
        }
      }
    }
    System.out.printf(
        Locale.ROOT, "%,d jobs in %d s%n", jobs, (System.nanoTime() - began) / 1_000_000_000);
    return pgUrl;
  }

  private void work() {
    Millpond millpond = live.server().millpond();
    millpond
        .registerHandler(
            "report.month",
            Map.class,
            (context, report) -> {
              for (int page = 1; !over.get(); page++) {
                if (page <= 200) {
                  context.log("page " + page + " is built");
                }
                context.progress(Math.min(99, page), "page " + page + " of 120");
                Thread.sleep(1_000);
                context.checkStop();
              }
              return Map.of("pages", 120);
            })
        .registerHandler(
            "load",
            Map.class,
            (context, nothing) -> {
              done.incrementAndGet();
              room.release();
              return null;
            });
    millpond.startWorker();
    List<JobRequest> jobs = new ArrayList<>();
    for (int i = 0; i < LONG_JOBS; i++) {
      jobs.add(JobRequest.of("report.month", Map.of("month", i)).withQueue("reports"));
    }
    for (int i = 0; i < QUEUES; i++) {
      jobs.add(
          JobRequest.of("mail.send", Map.of("customer", i))
              .withQueue("customer-" + i)
              .withDelay(Duration.ofDays(1)));
    }
    millpond.submit(jobs);
  }

  LiveServer live() {
    return live;
  }

  String pgUrl() {
    return pgUrl;
  }

  /** Submits lists of jobs that do nothing, as fast as they go through, until the load ends. */
  void startLoad() {
    Millpond millpond = live.server().millpond();
    List<JobRequest> list = new ArrayList<>();
    for (int i = 0; i < LIST; i++) {
      list.add(JobRequest.of("load", Map.of("customer", i, "size", 4711)).withQueue("load"));
    }
    loading.set(true);
    for (int i = 0; i < SUBMITTERS; i++) {
      submitters.add(
          Thread.ofPlatform()
              .name("load-" + i)
              .start(() -> {
                while (loading.get()) {
                  room.acquireUninterruptibly(LIST);
                  millpond.submit(list);
                }
              }));
    }
  }

  void endLoad() throws InterruptedException {
    loading.set(false);
    for (Thread each : submitters) {
      each.join();
    }
    submitters.clear();
  }

  /** Jobs of the load that have run so far. */
  long done() {
    return done.get();
  }

  /** Ends the long jobs, and asserts that the books are clean. */
  @Override
  public void close() {
    over.set(true);
    live.close();
    redis.close();
    if (postgres != null) {
      postgres.close();
    }
  }
}
