package dev.millpond.engine.maintenance;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.engine.Database;
import dev.millpond.engine.Fleet;
import dev.millpond.engine.Fleet.Mode;
import dev.millpond.engine.dispatch.Barred;
import dev.millpond.engine.dispatch.Batch;
import dev.millpond.engine.dispatch.BatchMaker.Member;
import dev.millpond.engine.dispatch.Claimed;
import dev.millpond.engine.dispatch.DispatchException;
import dev.millpond.engine.dispatch.Lane;
import dev.millpond.engine.dispatch.store.DepthMoves;
import dev.millpond.engine.dispatch.store.DepthStore;
import dev.millpond.engine.dispatch.store.DispatchStore;
import dev.millpond.engine.dispatch.streams.StreamsKeeper;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import redis.clients.jedis.Jedis;

/** A window of the backlog is on the stream, the oldest first; the rest waits in PostgreSQL. */
class FeederIT {
  private static final int WINDOW = 10;
  private static final int PAGE = 4;

  private static Database database;
  private RoleScene scene;
  private Feeder feeder;
  private StreamsKeeper keeper;

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
    scene = new RoleScene(database, Mode.STREAMS);
    keeper = scene.streams.keepers().getFirst();
    feeder =
        new Feeder(
            scene.leadership, scene.streams, () -> Barred.NONE, new Feeder.Config(WINDOW, PAGE));
  }

  @AfterEach
  void stop() {
    scene.end();
  }

  /** Rows that wait, as after a full stream. */
  private List<UUID> backlog(int batches) {
    return backlog(RoleScene.LANE, batches);
  }

  private List<UUID> backlog(Lane lane, int batches) {
    for (int i = 0; i < batches; i++) {
      scene.transactions.call(tx -> {
        UUID job = UUID.randomUUID();
        Database.update(
            tx,
            "INSERT INTO millpond.job (id, queue, class, kind, payload)"
                + " VALUES (?, ?, ?, 'noop', '{}')",
            job,
            lane.queue(),
            lane.priorityClass());
        Batch batch = scene.maker.make(lane, "noop", List.of(new Member(job, 1)));
        DispatchStore.insert(tx, List.of(batch), false);
        DepthStore.add(tx, new DepthMoves().comes(lane, job));
        return true;
      });
    }
    return scene.batches().stream().map(Batch::id).toList();
  }

  private List<UUID> onStream() {
    return keeper.entries(RoleScene.LANE).stream().map(e -> e.batch().id()).toList();
  }

  @Test
  void theWindowIsFilledOldestFirstAndNoFurther() {
    List<UUID> ids = backlog(25);
    assertThat(feeder.runOnce().batches()).isEqualTo(PAGE);
    assertThat(onStream()).containsExactlyElementsOf(ids.subList(0, PAGE));
    for (int look = 0; look < 5; look++) {
      feeder.runOnce();
    }
    assertThat(onStream()).containsExactlyElementsOf(ids.subList(0, WINDOW));
    assertThat(database.number("SELECT count(*) FROM millpond.dispatch WHERE sent_at IS NULL"))
        .isEqualTo(15);
    assertThat(feeder.runOnce().batches()).isZero();
  }

  @Test
  void whatItsProducerHasSentIsNotFedAgain() {
    scene.submit(20);
    int batches = scene.batches().size();
    Fleet.until("the entries", () -> onStream().size() == batches);
    assertThat(feeder.runOnce().batches()).isZero();
    assertThat(onStream()).hasSize(batches);
  }

  @Test
  void whatHasEndedMakesRoom() {
    List<UUID> ids = backlog(12);
    for (int look = 0; look < 3; look++) {
      feeder.runOnce();
    }
    List<Claimed> ended = keeper.entries(RoleScene.LANE).subList(0, 3);
    keeper.remove(ended);
    for (Claimed claimed : ended) {
      database.update("DELETE FROM millpond.dispatch WHERE id = ?", claimed.batch().id());
      for (UUID job : claimed.batch().jobIds()) {
        database.update("DELETE FROM millpond.job WHERE id = ?", job);
      }
    }
    database.update(
        "INSERT INTO millpond.queue_depth (queue, class, delta, bytes)"
            + " VALUES ('default', 'normal', -3, -6)");
    assertThat(feeder.runOnce().batches()).isEqualTo(2);
    assertThat(onStream()).containsExactlyElementsOf(ids.subList(3, 12));
  }

  @Test
  void rowsThatAreClaimedOrMeantForNoStreamAreNotFed() {
    List<UUID> ids = backlog(3);
    database.update("UPDATE millpond.dispatch SET direct = true WHERE id = ?", ids.get(0));
    database.update(
        "UPDATE millpond.dispatch SET claimed_by = gen_random_uuid(), claimed_at = now()"
            + " WHERE id = ?",
        ids.get(1));
    assertThat(feeder.runOnce().batches()).isEqualTo(1);
    assertThat(onStream()).containsExactly(ids.get(2));
  }

  /**
   * A live worker that runs these kinds and reads these shards, such as {@code {noop}}, {@code
   * {0}}.
   */
  private static void worker(String kinds, String shards) {
    database.update(
        "INSERT INTO millpond.worker (session, host, pid, kinds, slots, lease, shards)"
            + " VALUES (gen_random_uuid(), 'here', 1, ?::text[], 1, interval '1 h', ?::int4[])",
        kinds,
        shards);
  }

  /** Ways for a server to refuse writes, and to answer reads. */
  enum Refusal {
    READONLY,
    NOREPLICAS,
    OOM;

    void begin(Jedis jedis) {
      switch (this) {
        case READONLY -> jedis.replicaof("127.0.0.1", 1);
        case NOREPLICAS -> jedis.configSet("min-replicas-to-write", "1");
        case OOM -> jedis.configSet("maxmemory", "1");
      }
    }

    void end(Jedis jedis) {
      switch (this) {
        case READONLY -> jedis.replicaofNoOne();
        case NOREPLICAS -> jedis.configSet("min-replicas-to-write", "0");
        case OOM -> jedis.configSet("maxmemory", "0");
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Refusal.class)
  void whatTheServerRefusesWaitsAgainAndNoMoreIsFed(Refusal refusal) {
    backlog(PAGE + 2);
    try (Jedis jedis = new Jedis(scene.fleet.redis().url())) {
      refusal.begin(jedis);
      try {
        for (int look = 0; look < 3; look++) {
          assertThat(feeder.runOnce()).isEqualTo(new Feeder.Result(0, 0));
        }
        assertThat(keeper.usable()).as("one refusal is enough").isFalse();
      } finally {
        refusal.end(jedis);
      }
    }
    assertThat(database.number("SELECT count(*) FROM millpond.dispatch WHERE sent_at IS NULL"))
        .isEqualTo(PAGE + 2);
    Fleet.until("the rest is over", this::answers);
  }

  private boolean answers() {
    try {
      return keeper.length(0, RoleScene.LANE) >= 0;
    } catch (DispatchException e) {
      return false;
    }
  }

  @Test
  void aKeyOfAnotherTypeOnOneLaneDoesNotStopTheOthers() {
    backlog(new Lane("default", "critical"), 1);
    backlog(3);
    try (Jedis jedis = new Jedis(scene.fleet.redis().url())) {
      jedis.set("millpond:{s0}:default:critical", "not a stream");
      assertThat(feeder.runOnce()).isEqualTo(new Feeder.Result(3, 0));
      jedis.del("millpond:{s0}:default:critical");
    }
    assertThat(feeder.runOnce()).isEqualTo(new Feeder.Result(1, 0));
  }

  @Test
  void aKindThatNoReaderRunsStaysInTheTable() {
    backlog(3);
    worker("{other}", "{0}");
    assertThat(feeder.runOnce()).isEqualTo(new Feeder.Result(0, 0));
    worker("{noop}", "{0}");
    assertThat(feeder.runOnce()).isEqualTo(new Feeder.Result(3, 0));
  }

  @Test
  void rowsOfAShardThatTakesNoneAreAdoptedByAnother() {
    List<UUID> ids = backlog(3);
    database.update("UPDATE millpond.dispatch SET shard = 7");
    assertThat(feeder.runOnce()).isEqualTo(new Feeder.Result(3, 0));
    assertThat(onStream()).containsExactlyElementsOf(ids);
    assertThat(database.number("SELECT count(*) FROM millpond.dispatch WHERE shard = 0"))
        .isEqualTo(3);
  }

  @Test
  void rowsThatWorkersAwaitOnAStreamThatTakesNoneGoStraightFromTheTable() {
    backlog(6);
    database.update("UPDATE millpond.dispatch SET shard = 7");
    worker("{noop}", "{7}");
    assertThat(feeder.runOnce()).isEqualTo(new Feeder.Result(0, PAGE));
    assertThat(feeder.runOnce()).isEqualTo(new Feeder.Result(0, 2));
    assertThat(feeder.runOnce()).isEqualTo(new Feeder.Result(0, 0));
    assertThat(database.number("SELECT count(*) FROM millpond.dispatch WHERE direct")).isEqualTo(6);
  }
}
