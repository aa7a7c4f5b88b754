package dev.millpond.engine.maintenance;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.api.JobState;
import dev.millpond.engine.Database;
import dev.millpond.engine.Fleet;
import dev.millpond.engine.Fleet.Mode;
import dev.millpond.engine.Timing;
import dev.millpond.engine.dispatch.Demand;
import dev.millpond.engine.dispatch.streams.RedisServer;
import dev.millpond.engine.dispatch.streams.StreamsDispatch;
import dev.millpond.engine.dispatch.streams.StreamsKeeper;
import dev.millpond.engine.lifecycle.store.Transactions;
import dev.millpond.engine.worker.store.SessionStore;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Which jobs are suspected of a process's death, which are charged with it, and which are not. */
class CrashLoopIT {
  /** Longer than the lease of these sessions, and shorter than twice that. */
  private static final Duration SILENT = Duration.ofSeconds(3);

  private static final Duration LONG_SILENT = Duration.ofSeconds(10);

  private static Database database;
  private RoleScene scene;

  @BeforeAll
  static void open() {
    database = Database.fresh();
    Fleet.until(
        "a server that is not young",
        () ->
            database.number(
                    "SELECT count(*) FROM (SELECT) AS s"
                        + " WHERE now() - pg_postmaster_start_time() > interval '2 s'")
                == 1);
  }

  @AfterAll
  static void shut() {
    database.close();
  }

  @BeforeEach
  void start() {
    scene = new RoleScene(database, Mode.POSTGRES);
    scene.session(Duration.ZERO);
  }

  @AfterEach
  void stop() {
    scene.end();
  }

  @Test
  void whatWasLostInCompanyTravelsAloneAndIsNotCharged() {
    scene.submit(6);
    scene.claimAll(scene.session(LONG_SILENT));
    assertThat(scene.reaper().runOnce().rescued()).isEqualTo(6);
    assertThat(scene.batches()).hasSize(6).allSatisfy(batch -> assertThat(batch.size()).isOne());
    assertThat(database.number("SELECT count(*) FROM millpond.job_state WHERE losses = 1"))
        .isEqualTo(6);
    assertThat(database.number("SELECT max(crashes) FROM millpond.job_state")).isZero();
    assertThat(database.number("SELECT max(attempt) FROM millpond.job_state")).isOne();
  }

  @Test
  void thousandsThatWereLostTogetherRunSixteenAtATime() {
    scene.submit(400);
    scene.claimAll(scene.session(LONG_SILENT));
    assertThat(scene.reaper().runOnce().rescued()).isEqualTo(400);
    assertThat(scene.batches()).hasSize(25);
    assertThat(database.number("SELECT min(losses) FROM millpond.job_state")).isOne();
  }

  @Test
  void whatDiesTwiceAloneIsADeadLetterAtItsThirdLoss() {
    UUID id = scene.submit(1).getFirst();
    scene.claimAll(scene.session(SILENT));
    Reaper reaper = scene.reaper();
    reaper.runOnce();
    dieAlone(id, true);
    reaper.runOnce();
    assertThat(scene.producer.find(id).orElseThrow().state()).isEqualTo(JobState.RUNNABLE);
    assertThat(database.number("SELECT crashes FROM millpond.job_state")).isOne();
    dieAlone(id, true);
    assertThat(reaper.runOnce().buried()).isOne();
    assertThat(scene.producer.find(id).orElseThrow().state()).isEqualTo(JobState.DEAD);
    assertThat(database.strings("SELECT reason FROM millpond.dead_letter"))
        .containsExactly("poison");
    assertThat(database.strings("SELECT error_message FROM millpond.dead_letter").getFirst())
        .contains("3 times");
    assertThat(scene.producer.find(id).orElseThrow().attempt()).isOne();
    assertThat(database.depth()).isZero();
  }

  @Test
  void aLossThatNobodyKnowsToBeADeathCountsOnceItsProcessHasBeenSilentForLong() {
    UUID id = scene.submit(1).getFirst();
    Reaper reaper = scene.reaper();
    dieAlone(id, false);
    reaper.runOnce();
    dieAlone(id, false);
    Reaper.Result early = reaper.runOnce();
    assertThat(early.buried() + early.rescued()).as("the last one may come back").isZero();
    database.update("UPDATE millpond.worker SET beat_at = now() - interval '5 s' WHERE fenced");
    assertThat(reaper.runOnce().buried()).isOne();
  }

  @Test
  void aProcessThatComesBackHasNotDied() {
    UUID id = scene.submit(1).getFirst();
    Reaper reaper = scene.reaper();
    for (int i = 0; i < 5; i++) {
      UUID process = dieAlone(id, false);
      reaper.runOnce();
      scene.session(Duration.ZERO, process);
      database.update("UPDATE millpond.worker SET beat_at = now() - interval '9 s' WHERE fenced");
      reaper.runOnce();
    }
    assertThat(scene.producer.find(id).orElseThrow().state()).isEqualTo(JobState.RUNNABLE);
  }

  @Test
  void aProcessThatWasCutOffAndCameBackBeforeItDiedCountsOnce() {
    UUID id = scene.submit(1).getFirst();
    Reaper reaper = scene.reaper();
    UUID process = dieAlone(id, false);
    reaper.runOnce();
    dieAlone(id, process, true);
    assertThat(reaper.runOnce().rescued()).isOne();
    assertThat(scene.producer.find(id).orElseThrow().state()).isEqualTo(JobState.RUNNABLE);
    dieAlone(id, true);
    assertThat(reaper.runOnce().buried()).as("that is the second death").isOne();
  }

  @Test
  void whatIsTakenFromASessionWhoseProcessIsBackIsNotEvenSuspected() {
    scene.submit(4);
    UUID process = UUID.randomUUID();
    scene.claimAll(scene.session(SILENT, process));
    scene.session(Duration.ZERO, process);
    assertThat(scene.reaper().runOnce().rescued()).isEqualTo(4);
    assertThat(database.number("SELECT max(losses) FROM millpond.job_state")).isZero();
    assertThat(scene.batches()).hasSize(1);
  }

  @Test
  void aRowThatALostSessionWroteLateIsNobodysCrash() {
    scene.submit(4);
    scene.claimAll(UUID.randomUUID());
    assertThat(scene.reaper().runOnce().rescued()).isEqualTo(4);
    assertThat(database.number("SELECT max(losses) FROM millpond.job_state")).isZero();
  }

  @Test
  void aDeathThatIsKnownIsFencedAndRescuedWithoutWaitingForTheLease() {
    scene.submit(4);
    UUID process = UUID.randomUUID();
    scene.claimAll(scene.session(Duration.ZERO, process));
    Reaper reaper = scene.reaper();
    assertThat(reaper.runOnce().rescued()).isZero();
    assertThat(died(process)).isOne();
    assertThat(reaper.runOnce().rescued()).isEqualTo(4);
    assertThat(database.number("SELECT min(losses) FROM millpond.job_state")).isOne();
  }

  @Test
  void entriesOfAProcessThatMissedABeatAreLostWithItAndThoseOfALiveOneAreNot() {
    scene.close();
    scene = new RoleScene(database, Mode.STREAMS);
    scene.session(Duration.ZERO);
    UUID silent = UUID.randomUUID();
    scene.session(Duration.ZERO, silent);
    scene.session(Duration.ZERO);
    read(silent);
    Reaper reaper = scene.reaper();
    Fleet.until("suspects", () -> reaper.runOnce().rescued() == 2);
    assertThat(database.number("SELECT min(losses) FROM millpond.job_state")).isOne();

    UUID live = UUID.randomUUID();
    UUID session = scene.session(Duration.ZERO, live);
    read(live);
    Fleet.until(
        "no suspects",
        () -> {
          database.update("UPDATE millpond.worker SET beat_at = now() WHERE session = ?", session);
          return reaper.runOnce().rescued() == 2;
        });
    assertThat(database.number("SELECT count(*) FROM millpond.job_state WHERE losses = 0"))
        .isEqualTo(2);
  }

  /** More of them may be late because the leader or the database was. */
  @Test
  void whenMostProcessesAreLateTheirEntriesAreTakenAtASecondLookOnly() {
    scene.close();
    scene = new RoleScene(database, Mode.STREAMS);
    UUID process = UUID.randomUUID();
    UUID session = scene.session(Duration.ZERO, process);
    database.update("UPDATE millpond.worker SET lease = interval '1 h'");
    String late = "UPDATE millpond.worker SET beat_at = now() - interval '10 min'";
    StreamsKeeper keeper = scene.streams.keepers().getFirst();
    Timing quick =
        new Timing(
            Duration.ofSeconds(2),
            Duration.ofMillis(500),
            Duration.ofMillis(250),
            Duration.ofMillis(250));
    // As if there were two servers with what it has read.
    Reaper reaper = scene.reaper(Reaper.Config.of(quick), new Streams(List.of(keeper, keeper)));

    readAndLeave(process, keeper, quick);
    database.update(late);
    assertThat(reaper.runOnce().rescued()).as("first look, at both").isZero();
    assertThat(reaper.runOnce().rescued()).as("second look").isEqualTo(2);

    database.update("UPDATE millpond.worker SET beat_at = now() WHERE session = ?", session);
    assertThat(reaper.runOnce().rescued()).as("nothing left").isZero();
    readAndLeave(process, keeper, quick);
    database.update(late);
    assertThat(reaper.runOnce().rescued()).as("the last time is long ago").isZero();
    Fleet.until("second look", () -> reaper.runOnce().rescued() == 2);
  }

  private void readAndLeave(UUID process, StreamsKeeper keeper, Timing timing) {
    read(process);
    Duration idle = timing.settle().multipliedBy(2);
    Fleet.until("idle", () -> !keeper.left(scene.lanes.all(), idle, 10).isEmpty());
  }

  private void read(UUID process) {
    scene.submit(2);
    RedisServer server = new RedisServer(0, scene.fleet.config().redisUrls().getFirst());
    try (StreamsDispatch reader =
        new StreamsDispatch(
            server, (shard, kind) -> true, process.toString(), Duration.ofMillis(500))) {
      assertThat(
              reader.claim(
                  Demand.ofEach(List.of(RoleScene.LANE), Set.of("noop"), 4), Duration.ofSeconds(5)))
          .hasSize(1);
    }
  }

  /** As if a process had died, or been cut off, that ran the job with nothing else in it. */
  private UUID dieAlone(UUID id, boolean known) {
    return dieAlone(id, UUID.randomUUID(), known);
  }

  private UUID dieAlone(UUID id, UUID process, boolean known) {
    UUID session = scene.session(SILENT, process);
    if (database.number("SELECT count(*) FROM millpond.job_state") == 0) {
      scene.run(session, List.of(id));
    }
    database.update(
        """
        UPDATE millpond.job_state SET phase = 'running', session = ?, alone = true,
               started_at = now(), seen_at = now(), deadline = now() + interval '1 hour'
        """,
        session);
    database.update("DELETE FROM millpond.dispatch");
    if (known) {
      died(process);
    }
    return process;
  }

  private int died(UUID process) {
    Transactions transactions = scene.transactions;
    return transactions.call(tx -> SessionStore.died(tx, process));
  }
}
