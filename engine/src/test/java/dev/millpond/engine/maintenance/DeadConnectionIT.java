package dev.millpond.engine.maintenance;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.api.JobRequest;
import dev.millpond.api.RetryJobException;
import dev.millpond.engine.Database;
import dev.millpond.engine.Fleet;
import dev.millpond.engine.Fleet.Mode;
import dev.millpond.engine.Millpond;
import dev.millpond.engine.MillpondConfig;
import dev.millpond.engine.Timing;
import dev.millpond.faults.Ending;
import dev.millpond.faults.Exchange;
import dev.millpond.faults.Fault;
import dev.millpond.faults.FaultProxy;
import dev.millpond.faults.Moment;
import dev.millpond.faults.Step;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;

/**
 * The leader's connections stay open and are dead (ADR 26): no answer comes, and the server does
 * not notice either. Retries, delayed jobs and the jobs of lost workers go on, as before a lease
 * later at the latest and not after the minute that the longest statements may take.
 */
@Order(1) // takes long: begins first
class DeadConnectionIT {
  /** Two faults in a row on one connection, a busy build machine, and no minute by far. */
  private static final Duration WITHIN = Timing.FAST.lease().multipliedBy(10);

  private static final Duration SOON = Duration.ofMillis(300);
  private static final int EACH = 3;

  private static Database database;

  @BeforeAll
  static void open() {
    database = Database.fresh();
  }

  @AfterAll
  static void shut() {
    database.close();
  }

  /** A leader behind a proxy, workers and producers that are not. */
  private static final class Scene implements AutoCloseable {
    final FaultProxy proxy = FaultProxy.postgres(database.url());
    final Fleet fleet = Fleet.on(database, Mode.STREAMS);

    Scene() {
      Fleet.submit(fleet.producer(), JobRequest.of("plain", 0), 1); // from then on there is a queue
      fleet.worker(Scene::handlers);
      fleet.maintainer(
          MillpondConfig.of(proxy.url())
              .withTiming(Timing.FAST)
              .withRedis(List.of(fleet.redis().url())));
      Fleet.until(
          "a leader",
          () ->
              database.number("SELECT count(*) FROM millpond.leader WHERE expires_at > now()") > 0);
      fleet.untilEnded(1);
    }

    private static void handlers(Millpond worker) {
      worker.registerHandler("plain", Integer.class, (context, n) -> n);
      worker.registerHandler(
          "flaky",
          Integer.class,
          (context, n) -> {
            if (context.attempt() == 1) {
              throw new RetryJobException("once", SOON);
            }
            return n;
          });
    }

    /** The connection of whoever asks this next dies. */
    Fault dies(Predicate<Exchange> at, Moment moment) {
      return proxy.add(Fault.next(at, moment, Fault.Action.end(Ending.HALF_OPEN)));
    }

    /** Jobs that only come to their ends by the leader, and how long that took. */
    Duration needTheLeader() {
      Millpond byTable = fleet.producer(MillpondConfig.of(database.url()).withTiming(Fleet.TIMING));
      Fleet.submit(byTable, JobRequest.of("lost", 1), EACH);
      lostWithTheirWorker();
      long began = System.nanoTime();
      fleet.worker(m -> m.registerHandler("lost", Integer.class, (context, n) -> n));
      Fleet.submit(byTable, JobRequest.of("plain", 2).withDelay(SOON), EACH);
      Fleet.submit(byTable, JobRequest.of("flaky", 3), EACH);
      fleet.untilEnded(1 + 3 * EACH);
      return Duration.ofNanos(System.nanoTime() - began);
    }

    private static void lostWithTheirWorker() {
      UUID session = UUID.randomUUID();
      database.update(
          """
          INSERT INTO millpond.worker (session, process, host, pid, kinds, slots, lease, beat_at)
          VALUES (?, ?, 'here', 1, '{lost}', 1, interval '2 s', now() - interval '1 minute')
          """,
          session,
          UUID.randomUUID());
      database.update(
          """
          UPDATE millpond.dispatch SET claimed_by = ?, claimed_at = now(), sent_at = NULL
          WHERE kind = 'lost'
          """,
          session);
    }

    @Override
    public void close() {
      proxy.close(); // or roles that are in no hurry are waited for
      fleet.close();
    }
  }

  @Test
  void noRoleIsHeldUpForLongByItsDeadConnection() {
    try (Scene scene = new Scene()) {
      List<Fault> faults = new ArrayList<>();
      faults.add(scene.dies(e -> e.asks("INSERT INTO millpond.leader"), Moment.UNANSWERED));
      faults.add(scene.dies(e -> e.asks("FROM millpond.job_expiry ORDER"), Moment.UNANSWERED));
      faults.add(scene.dies(Step.PROMOTE, Moment.UNCOMMITTED)); // its rows are locked
      faults.add(scene.dies(Step.FENCE, Moment.UNCOMMITTED));
      faults.add(scene.dies(Step.FEED, Moment.UNANSWERED));
      faults.add(scene.dies(e -> e.asks("AND claimed_by IS NULL\n"), Moment.UNANSWERED));
      assertThat(scene.needTheLeader()).isLessThan(WITHIN);
      Fleet.until("all of them struck", () -> faults.stream().allMatch(Fault::struck));
      scene.fleet.assertBooksClean();
    }
  }

  @Test
  void aLeaderWhoseConnectionsAllDieGoesOn() {
    try (Scene scene = new Scene()) {
      scene.proxy.endAll(Ending.HALF_OPEN);
      assertThat(scene.needTheLeader()).isLessThan(WITHIN);
      scene.fleet.assertBooksClean();
    }
  }

  /** It waits longer for answers then, but not as long as those whom nobody waits for. */
  @Test
  void aRoleThatHadToBeGivenMoreTimeIsNotHeldUpEither() throws SQLException {
    try (Scene scene = new Scene()) {
      thePromoterTakesTooLong();
      scene.proxy.endAll(Ending.HALF_OPEN);
      assertThat(scene.needTheLeader()).isLessThan(WITHIN);
      scene.fleet.assertBooksClean();
    }
  }

  /** Its statement is given up, as one that takes too long, and done again with more time. */
  private static void thePromoterTakesTooLong() throws SQLException {
    try (Connection other = database.connect();
        Statement statement = other.createStatement()) {
      other.setAutoCommit(false);
      statement.execute("LOCK TABLE millpond.job_state IN ACCESS EXCLUSIVE MODE");
      Fleet.until("a look is given up", () -> aLookIsGivenUp());
      other.rollback();
    }
  }

  private static boolean aLookIsGivenUp() {
    return database.number(
            """
            SELECT count(*) FROM (
              SELECT pg_cancel_backend(pid) FROM pg_stat_activity
              WHERE application_name = 'millpond-roles' AND wait_event_type = 'Lock'
                AND datname = current_database() AND query LIKE '%ORDER BY look_at%') AS looks
            """)
        > 0;
  }
}
