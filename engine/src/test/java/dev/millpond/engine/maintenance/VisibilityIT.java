package dev.millpond.engine.maintenance;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.api.JobRequest;
import dev.millpond.api.JobState;
import dev.millpond.api.JobView;
import dev.millpond.engine.Database;
import dev.millpond.engine.Fleet;
import dev.millpond.engine.Fleet.Mode;
import dev.millpond.engine.GuardConfig;
import dev.millpond.engine.Millpond;
import dev.millpond.engine.Timing;
import dev.millpond.engine.lifecycle.store.Pg;
import dev.millpond.engine.lifecycle.store.Transactions;
import dev.millpond.engine.worker.store.SessionStore;
import dev.millpond.engine.worker.store.SessionStore.Opening;
import dev.millpond.engine.worker.store.SessionStore.Sign;
import dev.millpond.engine.worker.store.SessionStore.Standing;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Running jobs whose session lives and says nothing of them any more, as when a worker has mislaid
 * them: each is rescued when the time of its class is over, and no sooner.
 */
class VisibilityIT {
  private static final Map<String, Duration> TIMES =
      Map.of(
          "critical", Duration.ofMillis(1_500),
          "high", Duration.ofMillis(2_500),
          "normal", Duration.ofMinutes(1));

  /** A stall of the machine is no loss of a worker. */
  private static final Timing PATIENT =
      new Timing(
          Duration.ofMinutes(1), Fleet.TIMING.beat(), Fleet.TIMING.settle(), Fleet.TIMING.scan());

  /** Those with short times. */
  private static final List<String> CLASSES = List.of("critical", "high");

  /** Longer after its start than the shortest time. */
  private static final String SEEN_SINCE =
      "AND kind = 'long' AND seen_at > started_at + interval '1500 ms'";

  private static Database database;

  @BeforeAll
  static void open() {
    database = Database.fresh();
  }

  @AfterAll
  static void shut() {
    database.close();
  }

  @Test
  void whatALiveSessionHasMislaidIsRescuedAtTheTimeOfItsClassAndWhatPassesItsDeadlineAtThat() {
    Fleet fleet = Fleet.on(database, Mode.POSTGRES);
    Millpond leader =
        fleet.maintainer(fleet.config().withGuard(GuardConfig.DEFAULT.withVisibility(TIMES)));
    CountDownLatch release = new CountDownLatch(1);
    Millpond worker =
        fleet.worker(
            fleet.config().withTiming(PATIENT),
            m ->
                m.registerHandler(
                    "long",
                    String.class,
                    (context, payload) -> {
                      release.await();
                      return null;
                    }));
    // On a worker that says that it runs. Its class has a long time: with a short one a stall of
    // the machine would be the loss of a beat.
    UUID seen = submit(worker, "long", "normal");
    Fleet.until("it is tracked", () -> running("AND kind = 'long'") == 1);

    try (Transactions transactions = new Transactions(Pg.pool(database.url(), "silent", 1))) {
      UUID session = UUID.randomUUID();
      transactions.call(tx -> {
        SessionStore.open(
            tx,
            new Opening(
                session, session, "here", 1, Set.of("noop"), 1, PATIENT.lease(), List.of(), null));
        return true;
      });
      List<UUID> mislaid = CLASSES.stream().map(name -> submit(leader, "noop", name)).toList();
      UUID late = submit(leader, "noop", "critical");
      run(session, "1 hour");
      database.update(
          "UPDATE millpond.job_state SET deadline = now() + interval '100 ms' WHERE job_id = ?",
          late);
      Fleet.until(
          "all but the one that is seen are rescued",
          () -> {
            transactions.call(tx -> SessionStore.beat(tx, session, Standing.TAKING));
            transactions.call(
                tx -> SessionStore.refresh(tx, session, List.of(new Sign(late, 1, null, null))));
            return running("AND kind = 'noop'") == 0;
          });

      assertThat(database.number("SELECT count(*) FROM millpond.worker WHERE fenced")).isZero();
      for (int i = 0; i < CLASSES.size(); i++) {
        Duration time = requireNonNull(TIMES.get(CLASSES.get(i)));
        assertThat(rescuedAfterMillis(mislaid.get(i)))
            .as(CLASSES.get(i))
            .isGreaterThanOrEqualTo(time.toMillis());
      }
      assertThat(rescuedAfterMillis(late)).isPositive();
      assertThat(database.number("SELECT count(*) FROM millpond.job_state WHERE losses > 0"))
          .as("no process was lost")
          .isZero();
      Fleet.until("it is said again that it runs", () -> running(SEEN_SINCE) == 1);
    }

    fleet.worker(m -> m.registerHandler("noop", String.class, (context, payload) -> null));
    fleet.untilEnded(CLASSES.size() + 1L);
    release.countDown();
    assertThat(fleet.untilState(seen, JobState.SUCCEEDED).attempts())
        .extracting(JobView.Attempt::ended)
        .containsExactly("succeeded");
    fleet.end();
  }

  private static UUID submit(Millpond to, String kind, String priorityClass) {
    return to.submitOrThrow(JobRequest.of(kind, "").withPriorityClass(priorityClass));
  }

  /** As if the session had claimed what waits and tracked it. */
  private static void run(UUID session, String deadline) {
    database.update(
        """
        INSERT INTO millpond.job_state (job_id, queue, class, kind, phase, lease_token, attempt,
                                        session, started_at, seen_at, deadline)
        SELECT id, queue, class, kind, 'running', 1, 1, ?, now(), now(), now() + ?::interval
        FROM millpond.job WHERE kind = 'noop'
        """,
        session,
        deadline);
    database.update("DELETE FROM millpond.dispatch WHERE kind = 'noop'");
  }

  private static long running(String which) {
    return database.number(
        "SELECT count(*) FROM millpond.job_state WHERE phase = 'running' " + which);
  }

  private static long rescuedAfterMillis(UUID job) {
    return database.number(
        "SELECT extract(epoch FROM ended_at - started_at) * 1000 FROM millpond.job_attempt"
            + " WHERE job_id = ? AND ended = 'rescued'",
        job);
  }
}
