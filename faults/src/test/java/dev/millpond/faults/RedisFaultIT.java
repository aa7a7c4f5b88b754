package dev.millpond.faults;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.millpond.embedded.TestRedis;
import dev.millpond.embedded.TestServers;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.Pipeline;
import redis.clients.jedis.RedisProtocol;
import redis.clients.jedis.StreamEntryID;
import redis.clients.jedis.exceptions.JedisConnectionException;

/** Faults at one command of a real Redis. */
class RedisFaultIT {
  private static final Map<String, String> ENTRY = Map.of("f", "v");

  private final TestRedis redis = TestServers.get().redis();
  private final FaultProxy proxy = FaultProxy.redis(redis.url());
  private final Jedis aside = new Jedis(URI.create(redis.url()));
  private final Jedis client = client(RedisProtocol.RESP2);

  private Jedis client(RedisProtocol protocol) {
    return new Jedis(
        new HostAndPort("127.0.0.1", proxy.port()),
        DefaultJedisClientConfig.builder().protocol(protocol).socketTimeoutMillis(2_000).build());
  }

  @AfterEach
  void close() {
    client.close();
    aside.close();
    proxy.close();
    redis.close();
  }

  @Test
  void aProcessDiesExactlyAtItsXadd() throws Exception {
    Process process = new ProcessBuilder("sleep", "60").start();
    Fault killed =
        proxy.add(Fault.next(Step.XADD, Moment.UNSENT, Fault.Action.kill(process.toHandle())));
    assertThatThrownBy(() -> client.xadd("s", StreamEntryID.NEW_ENTRY, ENTRY))
        .isInstanceOf(JedisConnectionException.class);
    assertThat(killed.awaitStruck(Duration.ofSeconds(5))).isTrue();
    assertThat(process.isAlive()).isFalse();
    assertThat(aside.xlen("s")).isZero();
  }

  @Test
  void anXaddOfWhichTheAnswerIsLostIsThere() {
    proxy.add(Fault.next(Step.XADD, Moment.UNANSWERED, Fault.Action.end(Ending.CLOSED)));
    assertThatThrownBy(() -> client.xadd("s", StreamEntryID.NEW_ENTRY, ENTRY))
        .isInstanceOf(JedisConnectionException.class);
    assertThat(aside.xlen("s")).isEqualTo(1);
  }

  @Test
  void anXackInAHalfOpenConnectionIsNeitherDoneNorRefused() {
    aside.xadd("s", StreamEntryID.NEW_ENTRY, ENTRY);
    proxy.add(Fault.next(Step.XACK, Moment.UNSENT, Fault.Action.end(Ending.HALF_OPEN)));
    assertThatThrownBy(() -> client.xack("s", "g", new StreamEntryID(1, 1)))
        .isInstanceOf(JedisConnectionException.class)
        .hasMessageContaining("timed out");
    assertThat(client.isConnected()).isTrue();
    assertThat(proxy.links()).isEqualTo(1);
  }

  @Test
  void ofAPipelineWhatComesBeforeTheStruckCommandIsAnswered() {
    proxy.add(
        new Fault(e -> e.isCommand("SET"), 3, Moment.UNSENT, Fault.Action.end(Ending.CLOSED)));
    List<Object> answers = new ArrayList<>();
    try (Pipeline pipeline = client.pipelined()) {
      for (int i = 0; i < 5; i++) {
        pipeline.set("k" + i, "v");
      }
      assertThatThrownBy(() -> answers.addAll(pipeline.syncAndReturnAll()))
          .isInstanceOf(JedisConnectionException.class);
    } catch (JedisConnectionException e) {
      // Closing what is broken says so again.
    }
    await().until(() -> aside.exists("k1"));
    assertThat(aside.exists("k2", "k3", "k4")).isZero();
  }

  @ParameterizedTest
  @EnumSource(names = {"RESP2", "RESP3"})
  void bothVersionsOfTheProtocolPass(RedisProtocol protocol) {
    try (Jedis other = client(protocol)) {
      Fault seen = proxy.add(Fault.none(e -> e.isCommand("HSET", "h")));
      other.hset("h", Map.of("a", "1", "b", "x".repeat(100_000)));
      assertThat(other.hgetAll("h")).containsEntry("a", "1").containsKey("b");
      other.xadd("s", StreamEntryID.NEW_ENTRY, ENTRY);
      assertThat(other.xrange("s", "-", "+")).hasSize(1);
      assertThat(other.get("nothing")).isNull();
      assertThatThrownBy(() -> other.incr("h")).hasMessageContaining("WRONGTYPE");
      assertThat(seen.seen()).isEqualTo(1);
    }
  }
}
