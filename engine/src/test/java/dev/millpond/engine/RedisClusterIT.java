package dev.millpond.engine;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.api.JobRequest;
import dev.millpond.embedded.EmbeddedRedis;
import dev.millpond.embedded.StartOptions;
import dev.millpond.engine.Fleet.Mode;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.Protocol.Command;
import redis.clients.jedis.util.JedisClusterCRC16;

/** Jobs over a Redis Cluster of three masters, while a shard moves and while a master dies. */
class RedisClusterIT {
  private static final int SLOTS = 16_384;
  private static final int MASTERS = 3;

  @TempDir static Path folder;

  private static final List<EmbeddedRedis> masters = new ArrayList<>();
  private static Database database;

  @BeforeAll
  static void open() throws IOException {
    database = Database.fresh();
    List<Integer> buses = new ArrayList<>();
    for (int i = 0; i < MASTERS; i++) {
      int bus = freePort();
      buses.add(bus);
      masters.add(
          EmbeddedRedis.start(
              folder.resolve("master-" + i),
              StartOptions.defaults()
                  .withSetting("cluster-enabled", "yes")
                  .withSetting("cluster-port", Integer.toString(bus))
                  .withSetting("cluster-node-timeout", "2000")
                  .withSetting("cluster-require-full-coverage", "no")));
    }
    for (int i = 0; i < MASTERS; i++) {
      ask(i, "ADDSLOTSRANGE", from(i), from(i + 1) - 1);
      ask(0, "MEET", "127.0.0.1", masters.get(i).port(), buses.get(i));
    }
    for (int i = 0; i < MASTERS; i++) {
      int master = i;
      Fleet.until(
          "master " + i + " knows all slots",
          () -> {
            String info = ask(master, "INFO");
            return info.contains("cluster_state:ok") && info.contains("cluster_slots_ok:" + SLOTS);
          });
    }
  }

  @AfterAll
  static void shut() {
    masters.forEach(EmbeddedRedis::close);
    database.close();
  }

  private static int from(int master) {
    return master * SLOTS / MASTERS;
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    }
  }

  private static String ask(int master, Object... arguments) {
    String[] texts = new String[arguments.length];
    for (int i = 0; i < texts.length; i++) {
      texts[i] = arguments[i].toString();
    }
    try (Jedis jedis = new Jedis(masters.get(master).url())) {
      Object answer = jedis.sendCommand(Command.CLUSTER, texts);
      return answer instanceof byte[] bytes
          ? new String(bytes, StandardCharsets.UTF_8)
          : String.valueOf(answer);
    }
  }

  private static String stream(int shard) {
    return "millpond:{s" + shard + "}:default:normal";
  }

  private static int slot(int shard) {
    return JedisClusterCRC16.getSlot("s" + shard);
  }

  private static int masterOf(int shard) {
    for (int i = 0; i < MASTERS; i++) {
      try (Jedis jedis = new Jedis(masters.get(i).url())) {
        if (jedis.clusterGetKeysInSlot(slot(shard), 1).size() == 1) {
          return i;
        }
      }
    }
    throw new AssertionError("shard " + shard + " is on no master");
  }

  /** Moves a shard's slot with all its keys, as a rebalancing does. */
  private static void move(int shard, int from, int to) {
    int slot = slot(shard);
    String source = ask(from, "MYID");
    String target = ask(to, "MYID");
    ask(to, "SETSLOT", slot, "IMPORTING", source);
    ask(from, "SETSLOT", slot, "MIGRATING", target);
    try (Jedis jedis = new Jedis(masters.get(from).url())) {
      for (List<String> keys = jedis.clusterGetKeysInSlot(slot, 100);
          !keys.isEmpty();
          keys = jedis.clusterGetKeysInSlot(slot, 100)) {
        for (String key : keys) {
          jedis.migrate("127.0.0.1", masters.get(to).port(), key, 0, 1_000);
        }
      }
    }
    for (int i : new int[] {to, from}) {
      ask(i, "SETSLOT", slot, "NODE", target);
    }
  }

  private static void submit(Millpond to, int jobs) {
    for (int i = 0; i < jobs; i++) {
      Fleet.submit(to, JobRequest.of("noop", i), 1);
    }
  }

  @Test
  void jobsFlowOverAClusterWhoseSlotsMoveAndWhoseMastersDie() {
    Fleet fleet = Fleet.on(database, Mode.POSTGRES);
    MillpondConfig config =
        fleet
            .config()
            .withRedis(masters.stream().map(m -> "redis-cluster://127.0.0.1:" + m.port()).toList());
    assertThat(config.shards()).isEqualTo(MASTERS);
    Millpond producer = fleet.producer(config);
    fleet.worker(config, m -> m.registerHandler("noop", Integer.class, (context, payload) -> null));
    fleet.maintainer(config);
    submit(producer, 90);
    fleet.untilEnded(90);
    for (int shard = 0; shard < MASTERS; shard++) {
      try (Jedis jedis = new Jedis(masters.get(masterOf(shard)).url())) {
        assertThat(
                (long)
                    requireNonNull(
                        jedis.xinfoStream(stream(shard)).getStreamInfo().get("entries-added")))
            .as("batches over shard " + shard)
            .isPositive();
      }
    }

    int from = masterOf(0);
    move(0, from, (from + 1) % MASTERS);
    submit(producer, 60);
    fleet.untilEnded(150);

    masters.get((from + 1) % MASTERS).kill();
    submit(producer, 60);
    fleet.untilEnded(210);
    masters.get((from + 1) % MASTERS).restart();
    Fleet.until(
        "all shards used again",
        () -> producer.health().components().stream().allMatch(c -> c.up()));
    submit(producer, 30);
    fleet.untilEnded(240);
    fleet.end();
  }
}
