package dev.millpond.engine.worker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.api.JobRequest;
import dev.millpond.api.JobState;
import dev.millpond.engine.Database;
import dev.millpond.engine.Fleet;
import dev.millpond.engine.Fleet.Mode;
import dev.millpond.engine.Millpond;
import dev.millpond.engine.Timing;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A session that was fenced gives up all it holds, loses nothing, and returns as a new one. */
class FenceIT {
  /** Beats are heard long before a batch is dissolved. */
  private static final Timing TIMING =
      new Timing(
          Duration.ofMillis(1_500),
          Duration.ofMillis(100),
          Duration.ofMillis(1_500),
          Duration.ofMillis(100));

  private static Database database;
  private Fleet fleet;

  @BeforeAll
  static void open() {
    database = Database.fresh();
  }

  @AfterAll
  static void shut() {
    database.close();
  }

  @BeforeEach
  void start() {
    fleet = Fleet.on(database, Mode.POSTGRES);
  }

  @AfterEach
  void stop() {
    fleet.end();
  }

  @ParameterizedTest
  @EnumSource(Mode.class)
  void nothingOfAnUndissolvedBatchIsLost(Mode mode) throws Exception {
    fleet = Fleet.on(database, mode);
    AtomicBoolean hold = new AtomicBoolean(true);
    CountDownLatch started = new CountDownLatch(3);
    CountDownLatch stopped = new CountDownLatch(3);
    AtomicInteger runs = new AtomicInteger();
    Millpond node =
        fleet.worker(
            fleet.config().withTiming(TIMING),
            m ->
                m.registerHandler(
                    "hold",
                    Integer.class,
                    (context, n) -> {
                      runs.incrementAndGet();
                      if (n > 0 && hold.get()) {
                        started.countDown();
                        try {
                          new CountDownLatch(1).await();
                        } finally {
                          stopped.countDown();
                        }
                      }
                      return n;
                    }));
    List<JobRequest> requests = new ArrayList<>();
    for (int n = 0; n < 4; n++) {
      requests.add(JobRequest.of("hold", n));
    }
    fleet.maintainer();
    List<UUID> ids = Fleet.submit(node, requests);
    assertThat(started.await(10, TimeUnit.SECONDS)).isTrue();
    UUID session = node.nodeId();
    database.update("UPDATE millpond.worker SET fenced = true");
    assertThat(stopped.await(10, TimeUnit.SECONDS)).isTrue();
    hold.set(false);
    Fleet.until(
        "a new session",
        () ->
            database.number(
                    "SELECT count(*) FROM millpond.worker WHERE session <> ? AND NOT fenced",
                    session)
                == 1);
    fleet.assertBooksClean();
    ids.forEach(id -> fleet.untilState(id, JobState.SUCCEEDED));
    assertThat(runs.get()).isGreaterThanOrEqualTo(7);
  }

  @Test
  void whatATrackedJobWritesAfterTheFenceIsStale() throws Exception {
    CountDownLatch release = new CountDownLatch(1);
    CountDownLatch stopped = new CountDownLatch(1);
    Millpond node =
        fleet.worker(m ->
            m.registerHandler(
                "deaf",
                String.class,
                (context, p) -> {
                  if (context.leaseToken() > 1) {
                    return "second";
                  }
                  boolean waiting = true;
                  while (waiting) {
                    try {
                      waiting = !release.await(10, TimeUnit.SECONDS);
                    } catch (InterruptedException e) {
                      stopped.countDown();
                    }
                  }
                  return "first";
                }));
    UUID id = node.submitOrThrow(JobRequest.of("deaf", ""));
    fleet.untilState(id, JobState.RUNNING);
    database.update("UPDATE millpond.worker SET fenced = true");
    assertThat(stopped.await(10, TimeUnit.SECONDS)).isTrue();
    fleet.maintainer();
    assertThat(fleet.untilState(id, JobState.SUCCEEDED).result()).isEqualTo("\"second\"");
    release.countDown();
    Fleet.until(
        "the slot is free", () -> fleet.gauged("millpond.worker.slots", "state", "busy") == 0);
    assertThat(node.find(id).orElseThrow().result()).isEqualTo("\"second\"");
    assertThat(node.find(id).orElseThrow().attempts()).hasSize(2);
  }
}
