package dev.millpond.engine.dispatch.streams;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millpond.embedded.TestRedis;
import dev.millpond.embedded.TestServers;
import dev.millpond.engine.Fleet;
import dev.millpond.engine.dispatch.DispatchException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import redis.clients.jedis.CommandArguments;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.Protocol;
import redis.clients.jedis.UnifiedJedis;
import redis.clients.jedis.exceptions.JedisException;

/** When a server is left alone, and that it does not stay so. */
class RedisServerIT {
  private TestRedis redis;
  private Jedis admin;
  private RedisServer server;
  private RedisServer.Line line;

  @BeforeEach
  void open() {
    redis = TestServers.get().redis();
    admin = new Jedis(redis.url());
    server = new RedisServer(0, redis.url());
    line = server.line("test");
  }

  @AfterEach
  void close() {
    line.close();
    admin.close();
    redis.close();
  }

  private static boolean reads(UnifiedJedis jedis) {
    return jedis.exists("anything");
  }

  private static String writes(UnifiedJedis jedis) {
    return jedis.set("anything", "");
  }

  @Test
  void oneAnswerThatItIsAReplicaIsEnoughWhateverIsReadBetween() {
    admin.replicaof("127.0.0.1", 1);
    try {
      assertThat(line.call(RedisServerIT::reads)).isFalse();
      assertThatThrownBy(() -> line.call(RedisServerIT::writes))
          .isInstanceOf(DispatchException.class)
          .hasMessageContaining("READONLY");
      assertThat(server.up()).isFalse();
      Fleet.until("the rest is over", () -> refusedAgain());
      assertThat(server.up()).as("the probe is a write").isFalse();
    } finally {
      admin.replicaofNoOne();
    }
  }

  private boolean refusedAgain() {
    try {
      server.probe(line);
      return false;
    } catch (DispatchException e) {
      return String.valueOf(e.getMessage()).contains("READONLY");
    }
  }

  @Test
  void aProbeThatIsAnsweredByAnOddErrorIsRepeated() {
    try (RedisServer.Line odd = server.line("odd")) {
      admin.configSet("maxmemory", "1");
      assertThatThrownBy(() -> line.call(RedisServerIT::writes)).hasMessageContaining("OOM");
      assertThat(server.usable()).isFalse();
      admin.configSet("maxmemory", "0");
      odd.call(jedis ->
          jedis.executeCommand(new CommandArguments(Protocol.Command.SUBSCRIBE).add("news")));
      Fleet.until("an odd error", () -> oddlyProbed(odd));
      Fleet.until("it is used again", () -> probed(line));
    }
  }

  private boolean oddlyProbed(RedisServer.Line odd) {
    try {
      server.probe(odd);
      return false;
    } catch (JedisException e) {
      assertThat(e).hasMessageContaining("allowed in this context");
      return true;
    }
  }

  private boolean probed(RedisServer.Line by) {
    try {
      server.probe(by);
    } catch (DispatchException e) {
      assertThat(e).hasMessageContaining("left alone");
    }
    return server.usable();
  }

  @Test
  void aCallThatFailsByItselfLeavesTheNextOneToTryTheServer() {
    admin.replicaof("127.0.0.1", 1);
    try {
      assertThatThrownBy(() -> line.call(RedisServerIT::writes)).hasMessageContaining("READONLY");
    } finally {
      admin.replicaofNoOne();
    }
    Fleet.until("the call that is let through", () -> !failsUnasked());
    assertThat(line.call(RedisServerIT::reads)).isFalse();
    assertThat(server.up()).isTrue();
  }

  /** Whether a call that would fail is not let through. */
  private boolean failsUnasked() {
    try {
      line.call(jedis -> {
        throw new AssertionError("not the server's fault");
      });
    } catch (DispatchException e) {
      return true;
    } catch (AssertionError e) {
      return false;
    }
    throw new IllegalStateException("it ends by one of these");
  }
}
