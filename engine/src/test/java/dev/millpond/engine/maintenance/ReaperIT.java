package dev.millpond.engine.maintenance;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.api.JobState;
import dev.millpond.api.JobView;
import dev.millpond.engine.Database;
import dev.millpond.engine.Fleet;
import dev.millpond.engine.Fleet.Mode;
import dev.millpond.engine.GuardConfig;
import dev.millpond.engine.Timing;
import dev.millpond.engine.dispatch.Batch;
import dev.millpond.engine.dispatch.Claimed;
import dev.millpond.engine.dispatch.Demand;
import dev.millpond.engine.dispatch.Ways;
import dev.millpond.engine.dispatch.postgres.PostgresDispatch;
import dev.millpond.engine.dispatch.streams.RedisServer;
import dev.millpond.engine.dispatch.streams.StreamsDispatch;
import dev.millpond.engine.flush.Portion;
import dev.millpond.engine.flush.Portion.Success;
import dev.millpond.engine.flush.Portion.Written;
import dev.millpond.engine.flush.Writer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.params.XPendingParams;
import redis.clients.jedis.resps.StreamConsumerInfo;

/** What happens when a worker dies. */
class ReaperIT {
  private static final Duration LONG = Duration.ofSeconds(10);

  private static Database database;
  private RoleScene scene;

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
    scene = new RoleScene(database, Mode.POSTGRES);
  }

  @AfterEach
  void stop() {
    scene.end();
  }

  @Test
  void whatADeadSessionHadClaimedIsRescued() {
    List<UUID> ids = scene.submit(6);
    UUID dead = scene.session(LONG);
    UUID live = scene.session(Duration.ZERO);
    scene.claimAll(dead);
    List<Batch> before = scene.batches();
    Reaper.Result result = scene.reaper().runOnce();
    assertThat(result.fenced()).containsExactly(dead);
    assertThat(result.rescued()).isEqualTo(6);
    assertThat(scene.jobsAtToken(2)).isEqualTo(6);
    assertThat(scene.batches())
        .doesNotContainAnyElementsOf(before)
        .as("each travels alone, one of them may be what killed the worker")
        .hasSize(6)
        .allSatisfy(batch -> assertThat(batch.tokens()).containsExactly(2));
    assertThat(scene.batches().stream().flatMap(b -> java.util.Arrays.stream(b.jobIds())).toList())
        .containsExactlyInAnyOrderElementsOf(ids);
    assertThat(scene.feedNews).hasValue(1);
    assertThat(database.depth()).isEqualTo(6);
    assertThat(database.ids("SELECT session FROM millpond.worker WHERE NOT fenced"))
        .containsExactly(live);
  }

  @Test
  void whatALiveSessionHoldsIsLeftAlone() {
    List<UUID> ids = scene.submit(4);
    scene.claimAll(scene.session(Duration.ZERO));
    UUID runner = scene.session(Duration.ofSeconds(1));
    Reaper.Result result = scene.reaper().runOnce();
    assertThat(result).isEqualTo(new Reaper.Result(Set.of(), 0, 0, 0, true));
    scene.run(runner, ids);
    assertThat(scene.reaper().runOnce())
        .as("runs as a row of its own")
        .isEqualTo(new Reaper.Result(Set.of(), 0, 0, 0, false));
  }

  @Test
  void aRunningJobOfADeadSessionIsRescuedAndItsAttemptRecorded() {
    List<UUID> ids = scene.submit(2);
    UUID dead = scene.session(LONG);
    scene.session(Duration.ZERO);
    scene.run(dead, ids);
    assertThat(scene.reaper().runOnce().rescued()).isEqualTo(2);
    JobView job = scene.producer.find(ids.getFirst()).orElseThrow();
    assertThat(job.state()).isEqualTo(JobState.RUNNABLE);
    assertThat(job.attempt()).as("no attempt is used up").isEqualTo(1);
    assertThat(job.attempts()).hasSize(1);
    assertThat(job.attempts().getFirst().ended()).isEqualTo("rescued");
    assertThat(job.attempts().getFirst().workerId()).isEqualTo(dead);
    assertThat(scene.jobsAtToken(2)).isEqualTo(2);
    assertThat(database.depth()).isEqualTo(2);
  }

  @Test
  void aRunningJobPastItsDeadlineIsRescuedFromALiveSession() {
    List<UUID> ids = scene.submit(2);
    scene.run(scene.session(Duration.ZERO), ids);
    database.update(
        "UPDATE millpond.job_state SET deadline = now() - interval '1 minute' WHERE job_id = ?",
        ids.getFirst());
    assertThat(scene.reaper().runOnce().rescued()).isEqualTo(1);
    assertThat(scene.producer.find(ids.getFirst()).orElseThrow().state())
        .isEqualTo(JobState.RUNNABLE);
    assertThat(scene.producer.find(ids.getLast()).orElseThrow().state())
        .isEqualTo(JobState.RUNNING);
  }

  @Test
  void aRunningJobThatItsLiveSessionHasLostSightOfIsRescued() {
    List<UUID> ids = scene.submit(2);
    scene.run(scene.session(Duration.ZERO), ids);
    database.update(
        "UPDATE millpond.job_state SET seen_at = now() - interval '3 minutes' WHERE job_id = ?",
        ids.getLast());
    assertThat(scene.reaper().runOnce().rescued()).isEqualTo(1);
    assertThat(scene.producer.find(ids.getLast()).orElseThrow().state())
        .isEqualTo(JobState.RUNNABLE);
  }

  @Test
  void aCancelledJobOfADeadSessionEndsCancelled() {
    List<UUID> ids = scene.submit(1);
    UUID dead = scene.session(LONG);
    scene.session(Duration.ZERO);
    scene.run(dead, ids);
    scene.producer.cancel(ids.getFirst());
    Reaper.Result result = scene.reaper().runOnce();
    assertThat(result.cancelled()).isEqualTo(1);
    assertThat(scene.feedNews).as("its webhook would be due").hasValue(1);
    assertThat(result.rescued()).isZero();
    JobView job = scene.producer.find(ids.getFirst()).orElseThrow();
    assertThat(job.state()).isEqualTo(JobState.CANCELLED);
    assertThat(job.attempts().getFirst().ended()).isEqualTo("cancelled");
    assertThat(database.depth()).isZero();
  }

  @Test
  void aJobThatHasEndedIsNotRescuedWithItsBatch() {
    List<UUID> ids = scene.submit(3);
    scene.producer.cancel(ids.get(1));
    scene.claimAll(scene.session(LONG));
    scene.session(Duration.ZERO);
    assertThat(scene.reaper().runOnce().rescued()).isEqualTo(2);
    assertThat(scene.producer.find(ids.get(1)).orElseThrow().state()).isEqualTo(JobState.CANCELLED);
    assertThat(database.depth()).isEqualTo(2);
  }

  @Test
  void claimsOfJobsThatHaveEndedDelayNobody() {
    List<UUID> ids = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      ids.addAll(scene.submit(1));
    }
    database.update(
        "INSERT INTO millpond.job_outcome (job_id, outcome, attempt, lease_token)"
            + " SELECT id, 'cancelled', 1, 1 FROM millpond.job WHERE id <> ?",
        ids.getLast());
    database.update(
        "INSERT INTO millpond.queue_depth (queue, class, delta, bytes)"
            + " VALUES ('default', 'normal', -4, -8)");
    scene.claimAll(scene.session(LONG));
    scene.session(Duration.ZERO);
    Reaper reaper =
        scene.reaper(new Reaper.Config(Timing.FAST, 2, GuardConfig.DEFAULT, Duration.ofHours(1)));
    assertThat(reaper.runOnce().rescued()).as("on the third page").isEqualTo(1);
  }

  @Test
  void aLateOutcomeIsRejectedAfterTheReaperMovedTheJobOn() throws Exception {
    List<UUID> ids = scene.submit(2);
    UUID dead = scene.session(LONG);
    scene.session(Duration.ZERO);
    scene.claimAll(dead);
    Batch batch = scene.batches().getFirst();
    scene.reaper().runOnce();
    CompletableFuture<Written> news = new CompletableFuture<>();
    try (Ways ways = new Ways(List.of(), new PostgresDispatch(database.url(), () -> dead));
        Writer writer =
            new Writer(database.url(), () -> dead, scene.maker, scene.pace, ways, scene.metrics)) {
      writer.start();
      List<Portion.End> ends = new ArrayList<>();
      ids.forEach(id -> ends.add(new Success(id, 1, false, 1, 0, null, 0, 2)));
      writer.write(
          new Portion(
              RoleScene.LANE,
              "noop",
              batch,
              true,
              ends,
              List.of(),
              List.of(),
              false,
              List.of(),
              false,
              (portion, written) -> news.complete(written)));
      assertThat(news.get(10, TimeUnit.SECONDS).stale()).containsExactlyInAnyOrderElementsOf(ids);
    }
    assertThat(database.outcomes()).isZero();
    assertThat(database.depth()).isEqualTo(2);
  }

  @Test
  void aJobThatKeepsKillingItsWorkersBecomesADeadLetter() {
    UUID id = scene.submit(1).getFirst();
    Reaper reaper = scene.reaper();
    scene.session(Duration.ZERO);
    int rescues = 0;
    while (scene.producer.find(id).orElseThrow().state() != JobState.DEAD) {
      scene.claimAll(scene.session(LONG));
      scene.session(Duration.ZERO);
      Reaper.Result result = reaper.runOnce();
      assertThat(result.rescued() + result.buried()).isEqualTo(1);
      rescues += result.rescued();
      assertThat(rescues).as("there is an end").isLessThan(100);
    }
    assertThat(rescues).isPositive();
    assertThat(database.strings("SELECT reason FROM millpond.dead_letter"))
        .containsExactly("poison");
    assertThat(database.depth()).isZero();
  }

  @Test
  void whenMostSessionsAreSilentItLooksASecondTime() {
    UUID silent = scene.session(LONG);
    UUID other = scene.session(LONG);
    scene.session(Duration.ZERO);
    Reaper reaper = scene.reaper();
    assertThat(reaper.runOnce().fenced()).isEmpty();
    assertThat(reaper.runOnce().fenced()).containsExactlyInAnyOrder(silent, other);
  }

  @Test
  void nobodyIsFencedForOneLeaseAfterTheServersStart() {
    scene.submit(1);
    scene.claimAll(scene.session(LONG));
    scene.session(Duration.ZERO);
    Timing longLease =
        new Timing(
            Duration.ofMinutes(10),
            Duration.ofMillis(500),
            Duration.ofMillis(500),
            Duration.ofMillis(250));
    boolean longRunning =
        database.number(
                "SELECT count(*) FROM (SELECT) AS s"
                    + " WHERE now() - pg_postmaster_start_time() > interval '10 minutes'")
            == 1;
    Reaper.Result result = scene.reaper(Reaper.Config.of(longLease)).runOnce();
    assertThat(result.fenced().isEmpty()).isNotEqualTo(longRunning);
  }

  @Test
  void aFormerLeaderRescuesNothing() {
    scene.submit(1);
    scene.claimAll(scene.session(LONG));
    scene.session(Duration.ZERO);
    Reaper reaper = scene.reaper();
    database.update("UPDATE millpond.leader SET epoch = epoch + 1");
    org.assertj.core.api.Assertions.assertThatThrownBy(reaper::runOnce)
        .isInstanceOf(Leadership.LostException.class);
    assertThat(database.number("SELECT count(*) FROM millpond.worker WHERE fenced")).isZero();
  }

  @Test
  void streamEntriesThatWereReadAndLeftAreRescued() {
    scene.close();
    scene = new RoleScene(database, Mode.STREAMS);
    List<UUID> ids = scene.submit(3);
    RedisServer server = new RedisServer(0, scene.fleet.config().redisUrls().getFirst());
    try (StreamsDispatch reader =
        new StreamsDispatch(server, (shard, kind) -> true, "dead", Duration.ofMillis(500))) {
      List<Claimed> read =
          reader.claim(
              Demand.ofEach(List.of(RoleScene.LANE), Set.of("noop"), 4), Duration.ofSeconds(5));
      assertThat(read).hasSize(1);
    }
    Reaper reaper = scene.reaper();
    assertThat(reaper.runOnce().rescued()).as("too early").isZero();
    int[] rescued = new int[1];
    Fleet.until(
        "the rescue",
        () -> {
          rescued[0] += reaper.runOnce().rescued();
          return rescued[0] > 0;
        });
    assertThat(rescued[0]).isEqualTo(3);
    assertThat(scene.jobsAtToken(2)).isEqualTo(3);
    assertThat(scene.streams.keepers().getFirst().entries(RoleScene.LANE)).isEmpty();
    assertThat(ids).hasSize(3);
  }

  private static final String STREAM = "millpond:{s0}:default:normal";

  /** Entries that a consumer has read and left, one for each job. */
  private void leave(String consumer, int jobs) {
    for (int i = 0; i < jobs; i++) {
      scene.submit(1);
    }
    int read = 0;
    RedisServer server = new RedisServer(0, scene.fleet.redis().url());
    try (StreamsDispatch reader =
        new StreamsDispatch(server, (shard, kind) -> true, consumer, Duration.ofMillis(500))) {
      while (read < jobs) {
        read +=
            reader
                .claim(
                    Demand.ofEach(List.of(RoleScene.LANE), Set.of("noop"), 4),
                    Duration.ofSeconds(5))
                .size();
      }
    }
  }

  private static void untilIdle(Jedis jedis, int entries) {
    long idle = Timing.FAST.settle().multipliedBy(2).toMillis();
    Fleet.until(
        "they count as left",
        () ->
            jedis
                    .xpending(
                        STREAM,
                        "millpond",
                        XPendingParams.xPendingParams("-", "+", entries).idle(idle))
                    .size()
                == entries);
  }

  @Test
  void refusedRemovalsDoNotKeepItFromEndingItsLook() throws Exception {
    scene.close();
    scene = new RoleScene(database, Mode.STREAMS);
    leave("dead", 3);
    Reaper reaper =
        scene.reaper(new Reaper.Config(Timing.FAST, 2, GuardConfig.DEFAULT, Duration.ofHours(1)));
    try (Jedis jedis = new Jedis(scene.fleet.redis().url())) {
      untilIdle(jedis, 3);
      jedis.replicaof("127.0.0.1", 1);
      try {
        Reaper.Result look =
            CompletableFuture.supplyAsync(reaper::runOnce).get(10, TimeUnit.SECONDS);
        assertThat(look.rescued()).as("a page, then it is left alone").isEqualTo(2);
        assertThat(jedis.xlen(STREAM)).isEqualTo(3);
      } finally {
        jedis.replicaofNoOne();
      }
      Fleet.until(
          "the removal",
          () -> {
            reaper.runOnce();
            return jedis.xlen(STREAM) == 0;
          });
    }
    assertThat(scene.jobsAtToken(2)).isEqualTo(3);
  }

  @Test
  void aKeyOfAnotherTypeOnOneLaneDoesNotStopTheOthers() {
    scene.close();
    scene = new RoleScene(database, Mode.STREAMS);
    leave("dead", 2);
    try (Jedis jedis = new Jedis(scene.fleet.redis().url())) {
      untilIdle(jedis, 2);
      jedis.set("millpond:{s0}:default:critical", "not a stream");
      assertThat(scene.reaper().runOnce().rescued()).isEqualTo(2);
      jedis.del("millpond:{s0}:default:critical");
    }
  }

  @Test
  void consumersOfProcessesThatAreGoneAreRemovedUnlessSomethingIsPendingWithThem() {
    scene.close();
    scene = new RoleScene(database, Mode.STREAMS);
    UUID live = UUID.randomUUID();
    scene.session(Duration.ZERO, live);
    leave("holds", 1);
    try (Jedis jedis = new Jedis(scene.fleet.redis().url())) {
      for (String name : List.of("gone", "another", live.toString())) {
        jedis.xgroupCreateConsumer(STREAM, "millpond", name);
      }
      scene.reaper().runOnce();
      assertThat(consumers(jedis)).as("they may be starting").hasSize(4);
      Reaper.Config atOnce =
          new Reaper.Config(Timing.FAST, 500, GuardConfig.DEFAULT, Duration.ZERO);
      scene.reaper(atOnce).runOnce();
      assertThat(consumers(jedis)).containsExactlyInAnyOrder("holds", live.toString());
      assertThat(jedis.xpending(STREAM, "millpond").getTotal()).isEqualTo(1);
    }
  }

  private static List<String> consumers(Jedis jedis) {
    return jedis.xinfoConsumers2(STREAM, "millpond").stream()
        .map(StreamConsumerInfo::getName)
        .toList();
  }
}
