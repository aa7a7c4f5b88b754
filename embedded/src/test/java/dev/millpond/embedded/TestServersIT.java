package dev.millpond.embedded;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TestServersIT {
  private final TestServers servers = TestServers.get();

  @Test
  void everyFreshDatabaseIsAnotherEmptyOne() throws SQLException {
    String one = servers.freshDatabase();
    String two = servers.freshDatabase();
    assertThat(one).isNotEqualTo(two);
    for (String url : List.of(one, two)) {
      try (Connection connection = DriverManager.getConnection(url);
          Statement statement = connection.createStatement()) {
        statement.execute("CREATE TABLE job (id int)");
      }
    }
  }

  @Test
  void aRedisIsOneTestsOwnAndEmptyForTheNext() throws IOException {
    String left;
    try (TestRedis mine = servers.redis();
        TestRedis other = servers.redis();
        RedisConnection connection = RedisConnection.open(mine.url())) {
      assertThat(mine.url()).isNotEqualTo(other.url());
      connection.command("SET", "left", "over");
      left = mine.url();
    }
    List<TestRedis> next = List.of(servers.redis(), servers.redis());
    assertThat(next).extracting(TestRedis::url).contains(left);
    for (TestRedis redis : next) {
      try (redis;
          RedisConnection connection = RedisConnection.open(redis.url())) {
        assertThat(connection.command("DBSIZE")).containsExactly("0");
      }
    }
  }

  @Test
  void serversThatATestLeftStoppedComeBackForTheNextOne() throws Exception {
    servers.embeddedPostgres().stopImmediately();
    String killed;
    try (TestRedis redis = servers.redis()) {
      redis.embedded().kill();
      killed = redis.url();
    }
    try (Connection connection = DriverManager.getConnection(servers.freshDatabase())) {
      assertThat(connection.isValid(5)).isTrue();
    }
    List<TestRedis> next = List.of(servers.redis(), servers.redis());
    assertThat(next).extracting(TestRedis::url).contains(killed);
    for (TestRedis redis : next) {
      try (redis;
          RedisConnection connection = RedisConnection.open(redis.url())) {
        assertThat(connection.command("PING")).containsExactly("PONG");
      }
    }
  }

  @Test
  void externalServersAreUsedWhenNamedAndLeftCleanAtTheEnd() throws Exception {
    String url;
    try (TestRedis external = servers.redis();
        OtherJvm other = OtherJvm.start(externals(external), List.of(), "servers")) {
      String[] answer = other.awaitReady().split(" ", 2);
      url = answer[0];
      assertThat(url)
          .startsWith("jdbc:postgresql://127.0.0.1:" + servers.embeddedPostgres().port() + "/");
      assertThat(answer[1]).isEqualTo(external.url());
      assertThat(other.seen())
          .containsPattern(
              "Test servers: PostgreSQL 18\\S+ \\(external\\), Redis 7\\S+ \\(external\\)");
    }
    String name = url.replaceAll(".*/([^?]+).*", "$1");
    try (Connection connection =
            DriverManager.getConnection(servers.embeddedPostgres().jdbcUrl("postgres"));
        Statement statement = connection.createStatement();
        ResultSet found =
            statement.executeQuery("SELECT 1 FROM pg_database WHERE datname = '" + name + "'")) {
      assertThat(found.next()).isFalse();
    }
  }

  @Test
  void theNextTestRunRemovesWhatAKilledOneLeft(@TempDir Path folder) throws Exception {
    // A temporary folder of their own, for other test runs of this machine come and go in the usual
    // one.
    List<String> options =
        List.of(
            "-Djava.io.tmpdir=" + folder,
            "-D" + Binaries.CACHE_PROPERTY + "=" + Binaries.userFolder());
    Map<String, String> embedded =
        Map.of(TestServers.PG_VARIABLE, "", TestServers.REDIS_VARIABLE, "");
    try (OtherJvm killed = OtherJvm.start(embedded, options, "servers")) {
      killed.awaitReady();
      killed.kill();
    }
    List<Path> left = directories(folder);
    assertThat(left).hasSize(1);
    try (OtherJvm next = OtherJvm.start(embedded, options, "servers")) {
      next.awaitReady();
      assertThat(directories(folder)).hasSize(1).isNotEqualTo(left);
    }
    assertThat(directories(folder)).isEmpty();
  }

  @Test
  void twoJvmsThatUnpackAtOnceBothGetWholeProgramsAndLostFilesAreReplaced(@TempDir Path cache)
      throws Exception {
    List<String> options = List.of("-D" + Binaries.CACHE_PROPERTY + "=" + cache);
    Path programs;
    try (OtherJvm one = OtherJvm.start(Map.of(), options, "programs");
        OtherJvm two = OtherJvm.start(Map.of(), options, "programs")) {
      programs = Path.of(one.awaitReady());
      assertThat(two.awaitReady()).isEqualTo(programs.toString());
    }
    try (var children = Files.list(cache)) {
      assertThat(children).containsExactlyInAnyOrder(programs, cache.resolve("postgres.lock"));
    }

    Files.delete(programs.resolve("bin/initdb"));
    try (OtherJvm three = OtherJvm.start(Map.of(), options, "programs")) {
      assertThat(three.awaitReady()).isEqualTo(programs.toString());
    }
    assertThat(programs.resolve("bin/initdb")).isExecutable();
  }

  @Test
  void aDatabaseUrlKeepsItsParameters() {
    assertThat(TestServers.withDatabase("jdbc:postgresql://h:1/a?user=u&password=p", "b"))
        .isEqualTo("jdbc:postgresql://h:1/b?user=u&password=p");
    assertThat(TestServers.withDatabase("jdbc:postgresql://h/a", "b"))
        .isEqualTo("jdbc:postgresql://h/b");
    assertThatThrownBy(() -> TestServers.withDatabase("postgres://h/a", "b"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("jdbc:postgresql://host:port/database");
  }

  private Map<String, String> externals(TestRedis redis) {
    return Map.of(
        TestServers.PG_VARIABLE, servers.embeddedPostgres().jdbcUrl("postgres"),
        TestServers.REDIS_VARIABLE, redis.url());
  }

  private static List<Path> directories(Path folder) throws IOException {
    try (var files = Files.find(folder, 3, (path, attributes) -> attributes.isDirectory())) {
      return files.filter(path -> path.resolveSibling("sweep.lock").toFile().exists()).toList();
    }
  }
}
