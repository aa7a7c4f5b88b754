package dev.millpond.engine.plans;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millpond.api.Backoff;
import dev.millpond.api.HandlerOptions;
import dev.millpond.api.JobOptions;
import dev.millpond.api.JobRequest;
import dev.millpond.embedded.MeasuredPostgres;
import dev.millpond.engine.Database;
import dev.millpond.engine.DocPart;
import dev.millpond.engine.Fleet;
import dev.millpond.engine.Fleet.Mode;
import dev.millpond.engine.Millpond;
import dev.millpond.engine.admission.Watermarks;
import java.time.Duration;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * No statement that runs for jobs, or all the time, reads a large table from end to end: not on
 * full tables, and not in a session that made its plan when they were empty, before anybody has
 * analyzed them. The plans are those that a live node really ran, from the server's log. With
 * {@code -Dmillpond.docs.write=true} they are written to docs/plans.md.
 */
class PlansIT {
  /** Rows of large tables that a statement may look at: a few times the largest flush. */
  private static final long TOUCHED_MOST = 8_000;

  /** Looks at everything, with what bounds them. */
  private static final Map<String, String> WALKS =
      Map.of(
          "FROM (SELECT queue, phase FROM millpond.job_state",
          "counts what rests for the metrics: a million rows at most, a twentieth of the time",
          "SELECT d.id, (SELECT coalesce(w.process, w.session) FROM millpond.worker w",
          "the reaper's look for claims of lost sessions: an index would end HOT updates of claims",
          "UPDATE millpond.dispatch SET sent_at",
          "the feeder's look goes past batches that are for no stream, of kinds that no worker"
              + " knows",
          "SELECT queue, class, actual - counted FROM (",
          "recalibrates the depth: once a minute, a twentieth of the time",
          "DELETE FROM millpond.job_state WHERE job_id = ANY (ARRAY ( SELECT s.job_id FROM"
              + " millpond.job_state s JOIN",
          "sweeps leftovers: every 30 s",
          "SELECT o.job_id FROM (SELECT unnest(job_ids) AS id FROM millpond.dispatch",
          "sweeps leftovers: every 30 s");

  private static final DocPart DOCUMENT = new DocPart("docs/plans.md", "plans");

  private static final HandlerOptions QUICK_RETRIES =
      HandlerOptions.DEFAULT.withBackoff(new Backoff(Duration.ofMillis(1), Duration.ofMillis(2)));

  private static final int SLOW = 3;
  private static final int LIST = 2_000;
  private static final int ONE_BY_ONE = 20;
  private static final int SOME = 50;

  /** 150,000 ended jobs, 15,000 waiting batches, 50,000 scheduled jobs, 10,000 dead letters. */
  private static final String FILL =
      """
      DO $$
      BEGIN
        INSERT INTO millpond.job (id, queue, class, kind, payload)
        SELECT millpond.uuid_floor(now() - n * interval '137 ms'), 'default', 'normal', 'noop', '1'
        FROM generate_series(1, 150000) AS n;
        INSERT INTO millpond.job_outcome (job_id, outcome, attempt, lease_token, started_at)
        SELECT millpond.uuid_floor(now() - n * interval '137 ms'), 'succeeded', 1, 1, now()
        FROM generate_series(1, 150000) AS n;

        INSERT INTO millpond.job (id, queue, class, kind, payload)
        SELECT millpond.uuid_floor(now() - n * interval '137 ms' - interval '1 ms'), 'default', 'normal', 'nobodys', '1'
        FROM generate_series(1, 60000) AS n;
        INSERT INTO millpond.dispatch (id, queue, class, kind, shard, direct, job_ids)
        SELECT millpond.uuid_floor(now() - n * interval '137 ms'), 'default', 'normal', 'nobodys', 0, true,
               ARRAY (SELECT millpond.uuid_floor(now() - (4 * n - k) * interval '137 ms' - interval '1 ms')
                      FROM generate_series(0, 3) AS k)
        FROM generate_series(1, 15000) AS n;
        INSERT INTO millpond.queue_depth (queue, class, delta, bytes)
        VALUES ('default', 'normal', 60000, 60000);

        INSERT INTO millpond.job (id, queue, class, kind, payload)
        SELECT millpond.uuid_floor(now() - n * interval '137 ms' - interval '2 ms'), 'default', 'normal', 'noop', '1'
        FROM generate_series(1, 60000) AS n;
        INSERT INTO millpond.job_state (job_id, queue, class, kind, phase, lease_token, attempt, run_at)
        SELECT millpond.uuid_floor(now() - n * interval '137 ms' - interval '2 ms'), 'default', 'normal', 'noop',
               'scheduled', 1, 1, now() + n * interval '1 second' + interval '1 day'
        FROM generate_series(1, 50000) AS n;
        INSERT INTO millpond.job_state (job_id, queue, class, kind, phase, lease_token, attempt)
        SELECT millpond.uuid_floor(now() - n * interval '137 ms' - interval '2 ms'), 'default', 'normal', 'noop',
               'dead', 2, 1
        FROM generate_series(50001, 60000) AS n;
        INSERT INTO millpond.dead_letter (job_id, queue, class, kind, attempts, reason, error_type)
        SELECT job_id, queue, class, kind, 1, 'fatal', 'x' FROM millpond.job_state WHERE phase = 'dead';
      END $$
      """;

  private enum Phase {
    EMPTY("tables empty when it starts"),
    FILLED("full tables, plans made while they were empty, nobody has analyzed them"),
    ANALYZED("full tables, analyzed");

    final String text;

    Phase(String text) {
      this.text = text;
    }
  }

  private static final Map<Mode, Map<Phase, List<Plan>>> SEEN = new EnumMap<>(Mode.class);

  private static MeasuredPostgres postgres;

  @BeforeAll
  static void open() {
    postgres = MeasuredPostgres.start();
    PlanLog.enable(postgres);
  }

  @AfterAll
  static void shut() {
    if (DocPart.WRITE && SEEN.size() == Mode.values().length) {
      DOCUMENT.write(document());
    }
    postgres.close();
  }

  @ParameterizedTest
  @EnumSource
  void noStatementReadsALargeTableFromEndToEnd(Mode mode) {
    String url = postgres.freshDatabase();
    PlanLog log = new PlanLog(postgres, url.replaceFirst(".*/([^?]*).*", "$1"));
    Map<Phase, List<Plan>> seen = new EnumMap<>(Phase.class);
    try (Database database = Database.on(url);
        Fleet fleet = Fleet.on(database, mode)) {
      Life life = new Life(fleet, database, mode, log);
      for (Phase phase : Phase.values()) {
        switch (phase) {
          case EMPTY -> {}
          case FILLED -> database.update(FILL);
          case ANALYZED ->
              database.update(
                  "ANALYZE millpond.job, millpond.job_outcome, millpond.dispatch,"
                      + " millpond.job_state");
        }
        log.restart();
        life.live();
        seen.put(phase, log.read());
      }
      fleet.end();
    }
    SEEN.put(mode, seen);
    for (Phase phase : Phase.values()) {
      check(mode, phase, seen.getOrDefault(phase, List.of()));
    }
  }

  private static void check(Mode mode, Phase phase, List<Plan> plans) {
    if (phase == Phase.EMPTY) {
      return; // an empty table is read fastest from end to end
    }
    for (Plan plan : plans) {
      if (WALKS.keySet().stream().noneMatch(plan.sql()::contains)) {
        assertThat(plan.fullScans())
            .as("full scans, %s, %s: %s%n%s", mode, phase.text, plan.sql(), plan.tree())
            .isEmpty();
        assertThat(plan.touched())
            .as("rows touched, %s, %s: %s%n%s", mode, phase.text, plan.sql(), plan.tree())
            .isLessThan(TOUCHED_MOST);
      }
    }
  }

  /** A node with all roles, which runs something of everything. */
  private static final class Life {
    private final Fleet fleet;
    private final Database database;
    private final Set<HotStatement> expected;
    private final PlanLog log;
    private final Millpond node;
    private final AtomicReference<CountDownLatch> seen =
        new AtomicReference<>(new CountDownLatch(1));
    private int rounds;
    private long jobs;

    Life(Fleet fleet, Database database, Mode mode, PlanLog log) {
      this.fleet = fleet;
      this.database = database;
      this.expected = HotStatement.always(mode);
      this.log = log;
      this.node =
          fleet.worker(
              fleet.config().withWatermarks(new Watermarks(10_000_000, 1)), this::register);
      node.startMaintenance();
    }

    private void register(Millpond member) {
      member.registerHandler("noop", Integer.class, (context, payload) -> null);
      member.registerHandler(
          "slow",
          Integer.class,
          (context, payload) -> {
            assertThat(seen.get().await(60, TimeUnit.SECONDS)).isTrue();
            return null;
          });
      member.registerHandler(
          "fails-once",
          Integer.class,
          (context, payload) -> {
            if (context.attempt() == 1) {
              throw new IllegalStateException("not yet");
            }
            return null;
          },
          QUICK_RETRIES);
    }

    void live() {
      rounds++;
      CountDownLatch latch = new CountDownLatch(1);
      seen.set(latch);
      Fleet.submit(node, JobRequest.of("slow", 1), SLOW);
      Fleet.submit(node, JobRequest.of("noop", 1), LIST);
      for (int i = 0; i < ONE_BY_ONE; i++) {
        node.submitOrThrow(JobRequest.of("noop", i));
        node.submitOrThrow(
            JobRequest.of("noop", i)
                .withOptions(JobOptions.DEFAULT.withIdempotencyKey(rounds + "-" + i)));
      }
      Fleet.submit(node, JobRequest.of("noop", 1).withDelay(Duration.ofMillis(50)), SOME);
      Fleet.submit(node, JobRequest.of("fails-once", 1), SOME);
      jobs += SLOW + LIST + 2 * ONE_BY_ONE + 2 * SOME;
      Fleet.until("all but the slow ones", () -> fleet.counted("completed") >= jobs - SLOW);
      Fleet.until(
          "the slow ones are tracked",
          () ->
              database.number("SELECT count(*) FROM millpond.job_state WHERE phase = 'running'")
                  == SLOW);
      await("every statement has run")
          .atMost(Fleet.PATIENCE)
          .untilAsserted(() -> assertThat(missing()).isEmpty());
      latch.countDown();
      Fleet.until("all", () -> fleet.counted("completed") >= jobs);
    }

    private List<HotStatement> missing() {
      List<Plan> plans = log.read();
      return expected.stream().filter(s -> plans.stream().noneMatch(s::is)).toList();
    }
  }

  private static String document() {
    StringBuilder text = new StringBuilder("\nPostgreSQL " + postgres.version() + ".\n");
    for (HotStatement statement : HotStatement.values()) {
      Mode mode = statement.modes.contains(Mode.POSTGRES) ? Mode.POSTGRES : Mode.STREAMS;
      text.append("\n## ").append(statement.title).append("\n\n");
      text.append(statement.purpose).append(" `").append(statement.fragment).append("…`\n");
      for (Phase phase : Phase.values()) {
        largest(SEEN.getOrDefault(mode, Map.of()).getOrDefault(phase, List.of()), statement)
            .ifPresent(plan -> text.append(part(phase, plan)));
      }
    }
    text.append("\n## What looks at everything\n\n| statement | what bounds it |\n|---|---|\n");
    WALKS.entrySet().stream()
        .sorted(Map.Entry.comparingByKey())
        .forEach(walk -> text.append("| `%s…` | %s |%n".formatted(walk.getKey(), walk.getValue())));
    return text.append('\n').toString();
  }

  private static Optional<Plan> largest(List<Plan> plans, HotStatement statement) {
    return plans.stream()
        .filter(statement::is)
        .max(Comparator.comparingLong(Plan::rows).thenComparingLong(Plan::buffers));
  }

  private static String part(Phase phase, Plan plan) {
    return String.format(
        Locale.ROOT,
        "%n%s: %d rows, %.2f ms, %.1f µs and %.1f buffers a row%n%n```%n%s```%n",
        phase.text,
        plan.rows(),
        plan.millis(),
        1_000 * plan.millis() / Math.max(1, plan.rows()),
        (double) plan.buffers() / Math.max(1, plan.rows()),
        plan.tree());
  }
}
