package dev.millpond.bench;

import dev.millpond.api.JobRequest;
import dev.millpond.bench.scenario.Bed;
import dev.millpond.bench.servers.Database;
import dev.millpond.bench.servers.Pause;
import dev.millpond.bench.servers.Servers;
import dev.millpond.engine.Millpond;
import dev.millpond.engine.MillpondConfig;
import dev.millpond.engine.admission.Watermarks;
import java.io.IOException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.HdrHistogram.ConcurrentHistogram;
import org.HdrHistogram.Histogram;

/**
 * What a drop of old days costs those who submit meanwhile: callers that submit one job at a time
 * at a steady pace, and a worker; first alone, then while days of ended jobs are dropped, then with
 * the maintenance idle. Latency counts from the moment a call was to begin. See
 * docs/performance.md.
 */
public final class RetentionBench {
  private static final int CALLERS = 8;
  private static final long PACE_NANOS = 4_000_000;

  private static final String FILL =
      """
      SELECT millpond.ensure_partitions((now() AT TIME ZONE 'UTC')::date - $DAY);
      CREATE TEMP TABLE fill AS
      SELECT n, (lpad(to_hex(((extract(epoch FROM (now() AT TIME ZONE 'UTC')::date - $DAY) * 1000)
                      + n % 86400000)::bigint), 12, '0') || '7' || lpad(to_hex(n & 4095), 3, '0')
             || '8' || lpad(to_hex(n), 15, '0'))::uuid AS id
      FROM generate_series(1, $JOBS) AS n;
      INSERT INTO millpond.job (id, queue, class, kind, payload)
      SELECT id, 'default', 'normal', 'bench.noop', rpad('"', 199, 'x') || '"' FROM fill;
      INSERT INTO millpond.job_outcome (job_id, outcome, attempt, lease_token, ended_at)
      SELECT id, 'succeeded', 1, 1, now() - interval '9 days' FROM fill WHERE n > $SURVIVORS;
      INSERT INTO millpond.job_state
             (job_id, queue, class, kind, phase, lease_token, attempt, run_at)
      SELECT id, 'default', 'normal', 'bench.noop', 'scheduled', 1, 1, now() + interval '9 days'
      FROM fill WHERE n <= $SURVIVORS;
      DROP TABLE fill
      """;

  private static final String DAYS =
      """
      SELECT count(*) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
      WHERE i.inhparent = 'millpond.job'::regclass
        AND c.relname < 'job_p' || to_char(now() - interval '8 days', 'YYYYMMDD')
        AND c.relname LIKE 'job_p%'
      """;

  private RetentionBench() {}

  /**
   * Runs it.
   *
   * @param args jobs of a day, days, survivors of a day, seconds of each part
   */
  public static void main(String[] args) throws IOException, SQLException, InterruptedException {
    int jobs = args.length > 0 ? Integer.parseInt(args[0]) : 2_000_000;
    int days = args.length > 1 ? Integer.parseInt(args[1]) : 2;
    int survivors = args.length > 2 ? Integer.parseInt(args[2]) : 10_000;
    long seconds = args.length > 3 ? Long.parseLong(args[3]) : 15;
    try (Servers servers = Servers.start(null, List.of(), false);
        Database database = Database.create(servers.pgUrl());
        Connection connection = DriverManager.getConnection(database.url())) {
      fill(connection, jobs, days, survivors);
      MillpondConfig config = MillpondConfig.of(database.url()).withWatermarks(Watermarks.NONE);
      try (Millpond node = Millpond.connect(config)) {
        node.registerHandler(Bed.KIND, String.class, (context, payload) -> null);
        node.startWorker();
        measure(node, seconds); // warm-up
        print("without", measure(node, seconds));
        try (Millpond keeper = Millpond.connect(config)) {
          keeper.startMaintenance();
          print("while " + days + " days are dropped", measure(node, seconds));
          while (number(connection, DAYS) > 0) {
            print("still dropping", measure(node, 5));
          }
          print("afterwards", measure(node, seconds));
          long began = System.nanoTime();
          number(connection, "SELECT millpond.ensure_partitions(current_date + 30)::int");
          long nanos = System.nanoTime() - began;
          System.out.printf(
              "a new day beside %d survivors: %.1f ms%n",
              number(connection, "SELECT count(*) FROM millpond.job_default"), nanos / 1e6);
        }
        System.out.println(node.checkBooks());
      }
    }
  }

  private static void fill(Connection connection, int jobs, int days, int survivors)
      throws SQLException {
    try (Statement statement = connection.createStatement()) {
      for (int day = 0; day < days; day++) {
        statement.execute(
            FILL.replace("$DAY", Integer.toString(10 + day))
                .replace("$JOBS", Integer.toString(jobs))
                .replace("$SURVIVORS", Integer.toString(survivors)));
      }
      statement.execute("VACUUM ANALYZE");
      statement.execute("CHECKPOINT");
    }
    System.out.printf("%d days of %d jobs, %d survivors each%n", days, jobs, survivors);
  }

  private static long number(Connection connection, String sql) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(sql)) {
      row.next();
      return row.getLong(1);
    }
  }

  private static Histogram measure(Millpond node, long seconds) throws InterruptedException {
    Histogram micros = new ConcurrentHistogram(60_000_000L, 3);
    AtomicBoolean over = new AtomicBoolean();
    List<Thread> callers = new ArrayList<>();
    for (int i = 0; i < CALLERS; i++) {
      callers.add(Thread.ofPlatform().start(() -> call(node, micros, over)));
    }
    Pause.micros(seconds * 1_000_000);
    over.set(true);
    for (Thread caller : callers) {
      caller.join();
    }
    return micros;
  }

  private static void call(Millpond node, Histogram micros, AtomicBoolean over) {
    long next = System.nanoTime();
    while (!over.get()) {
      long wait = next - System.nanoTime();
      if (wait > 0) {
        Pause.micros(wait / 1_000);
      }
      var unused = node.submit(JobRequest.of(Bed.KIND, "x"));
      micros.recordValue(Math.clamp((System.nanoTime() - next) / 1_000, 0, 59_000_000));
      next += PACE_NANOS;
    }
  }

  private static void print(String what, Histogram micros) {
    System.out.printf(
        "%-28s %7d submits, ms: p50 %.2f  p99 %.2f  p99.9 %.2f  max %.2f%n",
        what,
        micros.getTotalCount(),
        micros.getValueAtPercentile(50) / 1e3,
        micros.getValueAtPercentile(99) / 1e3,
        micros.getValueAtPercentile(99.9) / 1e3,
        micros.getMaxValue() / 1e3);
  }
}
