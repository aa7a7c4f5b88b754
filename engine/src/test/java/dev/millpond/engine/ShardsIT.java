package dev.millpond.engine;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.api.JobRequest;
import dev.millpond.embedded.TestRedis;
import dev.millpond.embedded.TestServers;
import dev.millpond.engine.Fleet.Mode;
import dev.millpond.engine.query.Health.Component;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import redis.clients.jedis.Jedis;

/** Two shards, of which one fails, is new to some, or is taken out: no job waits for it. */
class ShardsIT {
  private static Database database;
  private static TestRedis first;
  private static TestRedis second;

  private final AtomicInteger ran = new AtomicInteger();
  private Fleet fleet;
  private MillpondConfig both;
  private MillpondConfig one;

  @BeforeAll
  static void open() {
    database = Database.fresh();
    first = TestServers.get().redis();
    second = TestServers.get().redis();
  }

  @AfterAll
  static void shut() {
    first.close();
    second.close();
    database.close();
  }

  @BeforeEach
  void start() {
    List.of(first, second).forEach(ShardsIT::asNew);
    fleet = Fleet.on(database, Mode.POSTGRES);
    one = fleet.config().withRedis(List.of(first.url()));
    both = fleet.config().withRedis(List.of(first.url(), second.url()));
  }

  /** Whatever a test before has left of a server when it failed. */
  private static void asNew(TestRedis redis) {
    if (!redis.embedded().isRunning()) {
      redis.embedded().restart();
    }
    try (Jedis jedis = new Jedis(redis.url())) {
      jedis.replicaofNoOne();
      jedis.configSet("maxmemory", "0");
    }
    redis.empty();
  }

  @AfterEach
  void stop() {
    fleet.end();
  }

  private Millpond worker(MillpondConfig with) {
    return fleet.worker(
        with,
        m ->
            m.registerHandler(
                "noop",
                Integer.class,
                (context, payload) -> {
                  ran.incrementAndGet();
                  return null;
                }));
  }

  private static void submit(Millpond to, int jobs) {
    for (int i = 0; i < jobs; i++) {
      Fleet.submit(to, JobRequest.of("noop", i), 1);
    }
  }

  private static Component shard(Millpond member, int index) {
    return member.health().components().stream()
        .filter(c -> c.name().equals("redis." + index))
        .findFirst()
        .orElseThrow();
  }

  private static void untilUsed(Millpond member, int index) {
    Fleet.until("shard " + index + " used again", () -> shard(member, index).up());
  }

  /** Batches on a shard's streams since its server was emptied. */
  private static long added(TestRedis redis, int shard) {
    try (Jedis jedis = new Jedis(redis.url())) {
      String stream = "millpond:{s" + shard + "}:default:normal";
      return jedis.exists(stream)
          ? (long) requireNonNull(jedis.xinfoStream(stream).getStreamInfo().get("entries-added"))
          : 0;
    }
  }

  @Test
  void jobsOfAShardThatIsDownFlowOverTheOtherAndItIsTakenBack() {
    Millpond producer = fleet.producer(both);
    Millpond worker = worker(both);
    Millpond leader = fleet.maintainer(both);
    submit(producer, 40);
    fleet.untilEnded(40);
    assertThat(added(second, 1)).as("both are used").isPositive();
    second.embedded().kill();
    submit(producer, 100);
    fleet.untilEnded(140);
    Fleet.until("it is noticed", () -> !shard(producer, 1).up());
    submit(producer, 20);
    fleet.untilEnded(160);
    second.embedded().restart();
    for (Millpond member : List.of(producer, worker, leader)) {
      untilUsed(member, 1);
    }
    long before = added(second, 1);
    submit(producer, 40);
    fleet.untilEnded(200);
    assertThat(added(second, 1)).as("it is used again").isGreaterThan(before);
    assertThat(ran.get()).isGreaterThanOrEqualTo(200);
    assertThat(database.outcomes()).isEqualTo(200);
  }

  @Test
  void withoutALeaderNewJobsFlowFromTheTableAndTheShardIsTakenBackOnceThereIsOne() {
    Millpond producer = fleet.producer(one);
    Millpond worker = worker(one);
    Millpond leader = fleet.maintainer(one);
    untilUsed(producer, 0);
    submit(producer, 10);
    fleet.untilEnded(10);
    fleet.leave(leader);
    first.embedded().kill();
    submit(producer, 20); // some are believed on their way there, and wait for a leader
    for (Millpond member : List.of(producer, worker)) {
      Fleet.until("it is noticed", () -> !shard(member, 0).up());
    }
    long before = database.outcomes();
    submit(producer, 20);
    fleet.untilEnded(before + 20);
    first.embedded().restart();
    Fleet.until("it answers", () -> shard(producer, 0).detail().contains("reconciled"));
    submit(producer, 20);
    fleet.untilEnded(before + 40);
    assertThat(shard(producer, 0).up()).as("nobody has looked through it").isFalse();
    fleet.maintainer(one);
    fleet.untilEnded(70);
    untilUsed(producer, 0);
    submit(producer, 10);
    fleet.untilEnded(80);
    assertThat(added(first, 0)).as("it is used again").isPositive();
  }

  @Test
  void aShardThatOnlyProducersKnowStrandsNothing() {
    Millpond producer = fleet.producer(both); // its view of the readers is from before the worker
    worker(one);
    fleet.maintainer(one);
    submit(producer, 60);
    fleet.untilEnded(60);
    fleet.leave(producer); // what is left on its server names no rows any more
  }

  @Test
  void aShardThatTheLeaderDoesNotKnowStrandsNothing() {
    worker(both);
    fleet.maintainer(one);
    Millpond producer = fleet.producer(both);
    submit(producer, 30);
    fleet.untilEnded(30);
    // As after a hand-back: rows that wait for a stream which the leader cannot feed.
    database.update(
        """
        WITH j AS (INSERT INTO millpond.job (id, queue, class, kind, payload)
                   VALUES (gen_random_uuid(), 'default', 'normal', 'noop', '7') RETURNING id)
        INSERT INTO millpond.dispatch (id, queue, class, kind, shard, job_ids)
        SELECT millpond.uuid_floor(now()), 'default', 'normal', 'noop', 1, ARRAY[id] FROM j
        """);
    database.update(
        "INSERT INTO millpond.queue_depth (queue, class, delta, bytes)"
            + " VALUES ('default', 'normal', 1, 1)");
    fleet.untilEnded(31);
  }

  @Test
  void aShardThatIsTakenOutOfTheListIsDrained() {
    Millpond producer = fleet.producer(both);
    fleet.maintainer(one);
    Fleet.submit(producer, JobRequest.of("noop", 1), 40); // on streams that nobody reads yet
    worker(one);
    fleet.untilEnded(40);
    fleet.leave(producer); // what is left on its server names no rows any more
  }

  @Test
  void aLeaderWithoutRedisStrandsNothing() {
    worker(one);
    fleet.maintainer(fleet.config());
    Millpond producer = fleet.producer(fleet.config());
    submit(producer, 20);
    fleet.untilEnded(20);
  }

  @Test
  void aServerWhoseMemoryIsFullIsLeftOutUntilItHasRoom() {
    Millpond producer = fleet.producer(one);
    worker(one);
    fleet.maintainer(one);
    submit(producer, 5);
    fleet.untilEnded(5);
    try (Jedis jedis = new Jedis(first.url())) {
      jedis.configSet("maxmemory", "1");
      submit(producer, 60);
      fleet.untilEnded(65);
      Fleet.until("it is noticed", () -> shard(producer, 0).detail().contains("OOM"));
      jedis.configSet("maxmemory", "0");
      untilUsed(producer, 0);
      submit(producer, 5);
      fleet.untilEnded(70);
    }
  }

  @Test
  void aServerThatCannotWriteItsDiskIsLeftAloneUntilItCan() {
    Millpond producer = fleet.producer(one);
    worker(one);
    fleet.maintainer(one);
    submit(producer, 5);
    fleet.untilEnded(5);
    first.embedded().breakSnapshots();
    try {
      submit(producer, 60);
      fleet.untilEnded(65);
      Fleet.until("it is noticed", () -> shard(producer, 0).detail().contains("MISCONF"));
    } finally {
      first.embedded().mendSnapshots();
    }
    untilUsed(producer, 0);
    long before = added(first, 0);
    submit(producer, 5);
    fleet.untilEnded(70);
    assertThat(added(first, 0)).as("it is used again").isGreaterThan(before);
  }

  @Test
  void aServerThatBecomesAReplicaIsLeftAloneUntilItIsPromoted() {
    Millpond producer = fleet.producer(one);
    worker(one);
    fleet.maintainer(one);
    submit(producer, 5);
    fleet.untilEnded(5);
    try (Jedis jedis = new Jedis(first.url())) {
      jedis.replicaof("127.0.0.1", 1);
      submit(producer, 60);
      fleet.untilEnded(65);
      Fleet.until("it is noticed", () -> shard(producer, 0).detail().contains("READONLY"));
      jedis.replicaofNoOne();
      untilUsed(producer, 0);
      submit(producer, 5);
      fleet.untilEnded(70);
    }
  }

  @Test
  void aLeaderWhoseOnlyServerBecomesAReplicaMovesNoRowsRoundAndRound() {
    Millpond leader = fleet.maintainer(one);
    Millpond producer = fleet.producer(fleet.config()); // whose jobs all wait for the feeder
    try (Jedis jedis = new Jedis(first.url())) {
      jedis.replicaof("127.0.0.1", 1);
      try {
        Fleet.submit(producer, JobRequest.of("noop", 1), 40);
        Fleet.until("it is noticed", () -> shard(leader, 0).detail().contains("READONLY"));
        worker(fleet.config());
        fleet.untilEnded(40);
      } finally {
        jedis.replicaofNoOne();
      }
    }
    untilUsed(leader, 0);
    assertThat(database.number("SELECT max(lease_token) FROM millpond.job_outcome")).isEqualTo(1);
    assertThat(ran.get()).isEqualTo(40);
  }

  @Test
  void aKeyOfAnotherTypeOnOneLaneDoesNotStopTheOthers() {
    try (Jedis jedis = new Jedis(first.url())) {
      String critical = "millpond:{s0}:default:critical";
      jedis.set(critical, "not a stream");
      Millpond producer = fleet.producer(one);
      worker(one);
      fleet.maintainer(one);
      submit(producer, 20);
      fleet.untilEnded(20);
      assertThat(added(first, 0)).as("by their stream").isPositive();
      Fleet.submit(producer, JobRequest.of("noop", 1).withPriorityClass("critical"), 1);
      jedis.del(critical);
      fleet.untilEnded(21);
    }
  }
}
