package dev.millpond.embedded;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EmbeddedRedisIT {
  @TempDir Path directory;

  @Test
  void aNewDirectoryBecomesAServerThatKeepsItsDataOverStopsAndKills() throws Exception {
    long pid;
    try (EmbeddedRedis redis = EmbeddedRedis.start(directory)) {
      pid = redis.pid();
      assertThat(redis.version()).isEqualTo("7.0.15");
      assertThat(redis.url()).isEqualTo("redis://127.0.0.1:" + redis.port());
      assertThat(setting(redis, "appendonly")).isEqualTo("yes");
      assertThat(setting(redis, "appendfsync")).isEqualTo("everysec");
      assertThat(setting(redis, "maxmemory-policy")).isEqualTo("noeviction");
      assertThat(setting(redis, "bind")).isEqualTo("127.0.0.1");
      assertThat(setting(redis, "dir")).isEqualTo(redis.dataDirectory().toString());
      assertThat(command(redis, "SET", "kept", "über")).isEqualTo("OK");

      int port = redis.port();
      redis.kill();
      assertThat(redis.isRunning()).isFalse();
      assertThat(ServerProcess.isAlive(pid)).isFalse();
      assertThatThrownBy(() -> command(redis, "PING")).isInstanceOf(IOException.class);

      redis.restart();
      assertThat(redis.port()).isEqualTo(port);
      assertThat(redis.pid()).isNotEqualTo(pid);
      assertThat(command(redis, "GET", "kept")).isEqualTo("über");
      pid = redis.pid();

      assertThatThrownBy(() -> EmbeddedRedis.start(directory))
          .isInstanceOf(EmbeddedServerException.class)
          .hasMessageContaining("in use by process " + ProcessHandle.current().pid());
    }
    assertThat(ServerProcess.isAlive(pid)).isFalse();

    StartOptions options = StartOptions.defaults().withSetting("maxmemory", "64mb");
    try (EmbeddedRedis again = EmbeddedRedis.start(directory, options)) {
      assertThat(command(again, "GET", "kept")).isEqualTo("über");
      assertThat(setting(again, "maxmemory")).isEqualTo(Integer.toString(64 << 20));
    }
  }

  @Test
  void aServerLeftByAKilledJvmIsStoppedAndItsDataIsServedAgain() throws Exception {
    long orphan;
    try (OtherJvm other = OtherJvm.start("redis", directory.toString())) {
      orphan = Long.parseLong(other.awaitReady().split(" ", 2)[0]);
      other.kill();
    }
    assertThat(ServerProcess.isAlive(orphan)).isTrue();

    try (EmbeddedRedis redis = EmbeddedRedis.start(directory)) {
      assertThat(ServerProcess.isAlive(orphan)).isFalse();
      assertThat(redis.pid()).isNotEqualTo(orphan);
      assertThat(command(redis, "GET", "kept")).isEqualTo("yes");
    }
  }

  @Test
  void aFrozenServerIsStoppedAllTheSame() {
    EmbeddedRedis redis = EmbeddedRedis.start(directory);
    ServerProcess.signal(redis.pid(), "STOP");
    redis.close();
    assertThat(ServerProcess.isAlive(redis.pid())).isFalse();
  }

  @Test
  void anUnknownDirectiveEndsTheStartWithTheServersOwnWords() {
    StartOptions unknown = StartOptions.defaults().withSetting("no-such-directive", "1");
    assertThatThrownBy(() -> EmbeddedRedis.start(directory, unknown))
        .isInstanceOf(EmbeddedServerException.class)
        .hasMessageContaining("no-such-directive");
    StartOptions bind = StartOptions.defaults().withSetting("bind", "0.0.0.0");
    assertThatThrownBy(() -> EmbeddedRedis.start(directory, bind))
        .isInstanceOf(IllegalArgumentException.class);
  }

  private static String setting(EmbeddedRedis redis, String name) throws IOException {
    try (RedisConnection connection = RedisConnection.open(redis.url())) {
      return connection.command("CONFIG", "GET", name).get(1);
    }
  }

  private static String command(EmbeddedRedis redis, String... words) throws IOException {
    try (RedisConnection connection = RedisConnection.open(redis.url())) {
      return connection.command(words).getFirst();
    }
  }
}
