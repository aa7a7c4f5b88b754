package dev.millpond.server.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millpond.embedded.EmbeddedRedis;
import dev.millpond.embedded.StartOptions;
import dev.millpond.embedded.TestRedis;
import dev.millpond.embedded.TestServers;
import dev.millpond.engine.MillpondConfig;
import dev.millpond.server.config.ConfigKey;
import dev.millpond.server.support.LiveServer;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;
import tools.jackson.databind.JsonNode;

/** {@code migrate} and {@code doctor} on real servers. */
class DoctorIT {
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @Test
  void migrateCreatesTheSchemaOnce() {
    String pgUrl = TestServers.get().freshDatabase();
    assertThat(run("migrate", "--pg-url", pgUrl)).as(err::toString).isZero();
    assertThat(out.toString()).contains("migrations applied: ");
    out.getBuffer().setLength(0);
    assertThat(run("migrate", "--pg-url", pgUrl)).isZero();
    assertThat(out.toString()).contains("up to date").doesNotContain("applied");
    LiveServer.assertCleanBooks(MillpondConfig.of(pgUrl));
  }

  @Test
  void migrateExitsWithThreeWhenPostgresIsOutOfReach() {
    assertThat(run("migrate", "--pg-url", "jdbc:postgresql://127.0.0.1:1/none?user=nobody"))
        .isEqualTo(3);
    assertThat(err.toString()).doesNotContain("\tat ");
  }

  @Test
  void doctorFindsAHealthyInstallationClean() {
    String pgUrl = LiveServer.migratedDatabase();
    try (TestRedis redis = TestServers.get().redis()) {
      assertThat(run("doctor", "--pg-url", pgUrl, "--redis-urls", redis.url(), "--json"))
          .as(out::toString)
          .isZero();
      JsonNode report = LiveServer.json(out.toString());
      assertThat(report.get("clean").asBoolean()).isTrue();
      assertThat(checks(report))
          .contains(
              "java.version",
              "sizing.slots",
              "sizing.connections",
              "sizing.heap",
              "sizing.files",
              "postgres.version",
              "postgres.fsync",
              "postgres.full_page_writes",
              "postgres.synchronous_commit",
              "postgres.shared_buffers",
              "postgres.wal_compression",
              "postgres.random_page_cost",
              "postgres.connections",
              "fleet.connections",
              "postgres.pooler",
              "postgres.clock",
              "postgres.rights",
              "redis.0.version",
              "redis.0.maxmemory-policy",
              "redis.0.clock",
              "redis.0.io-threads",
              "schema",
              "schema.partitions",
              "schema.partitions.default",
              "fleet.leader",
              "fleet.workers",
              "fleet.kinds",
              "fleet.classes",
              "books");
      assertThat(levels(report)).containsOnly("ok", "info");
      LiveServer.assertCleanBooks(MillpondConfig.of(pgUrl).withRedis(List.of(redis.url())));
    }
  }

  @Test
  void doctorFindsARunningFleetClean(@TempDir Path directory) {
    try (TestRedis redis = TestServers.get().redis();
        LiveServer server =
            LiveServer.start(directory, Map.of(ConfigKey.REDIS_URLS, redis.url()))) {
      String pgUrl = server.engine().pgUrl();
      await()
          .untilAsserted(() -> {
            out.getBuffer().setLength(0);
            assertThat(run("doctor", "--pg-url", pgUrl, "--redis-urls", redis.url()))
                .as(out::toString)
                .isZero();
            assertThat(out.toString()).containsPattern("ok +fleet.leader +there is one");
          });
    }
  }

  @Test
  void doctorFindsAMissingSchema() {
    assertThat(run("doctor", "--pg-url", TestServers.get().freshDatabase())).isEqualTo(1);
    assertThat(out.toString()).containsPattern("error +schema ").contains("-> ./millpond migrate");
  }

  /** What is planted, with the check that has to name it and a part of its remedy. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          ALTER DATABASE :db SET synchronous_commit = off           | postgres.synchronous_commit           | RESET synchronous_commit
          ALTER DATABASE :db SET default_transaction_isolation = 'serializable' | postgres.default_transaction_isolation | RESET default_transaction_isolation
          DELETE FROM millpond.flyway_schema_history WHERE installed_rank = (SELECT max(installed_rank) FROM millpond.flyway_schema_history) | schema | ./millpond migrate
          UPDATE millpond.flyway_schema_history SET version = '999' WHERE version = '1' | schema | newer one
          DROP TABLE millpond.job_p:tomorrow                        | schema.partitions                     | --role maintenance
          INSERT INTO millpond.job (id, queue, class, kind, payload) VALUES (millpond.uuid_floor(now() - interval '1 hour'), 'q', 'normal', 'k', '1') | books.lost | doctor again
          INSERT INTO millpond.worker (session, host, pid, kinds, slots, lease, beat_at) VALUES (gen_random_uuid(), 'h', 1, '{k}', 1, '1 hour', now()) | fleet.leader | --role maintenance
          """)
  void doctorNamesWhatWasPlanted(String planted, String check, String remedy) throws SQLException {
    String pgUrl = LiveServer.migratedDatabase();
    plant(pgUrl, planted);
    assertThat(run("doctor", "--pg-url", pgUrl)).as(out::toString).isEqualTo(1);
    assertThat(out.toString())
        .containsPattern("error +" + check.replace(".", "\\.") + " ")
        .contains("-> ")
        .contains(remedy);
  }

  @Test
  void doctorNamesAKindThatNobodyRunsAndAClassThatIsNotConfigured() throws SQLException {
    String pgUrl = LiveServer.migratedDatabase();
    plant(
        pgUrl,
        """
        WITH j AS (INSERT INTO millpond.job (id, queue, class, kind, payload)
                   VALUES (millpond.uuid_floor(now() - interval '1 hour'), 'q', 'odd', 'lonely', '1') RETURNING id)
        INSERT INTO millpond.dispatch (id, queue, class, kind, shard, job_ids, created_at)
        SELECT id, 'q', 'odd', 'lonely', 0, ARRAY [id], now() - interval '1 hour' FROM j
        """);
    plant(
        pgUrl,
        "INSERT INTO millpond.queue_depth (queue, class, delta, bytes) VALUES ('q', 'odd', 1, 1)");
    assertThat(run("doctor", "--pg-url", pgUrl)).isEqualTo(1);
    assertThat(out.toString())
        .containsPattern("error +fleet.kinds +no live worker knows .* lonely")
        .containsPattern("warning +fleet.classes +1 jobs of the class odd; ")
        .containsPattern("error +fleet.leader");
    LiveServer.assertCleanBooks(MillpondConfig.of(pgUrl));
  }

  @Test
  void doctorNamesARoleWithoutRights() throws SQLException {
    String pgUrl = LiveServer.migratedDatabase();
    String role = "doctor_" + UUID.randomUUID().toString().replace("-", "");
    plant(pgUrl, "CREATE ROLE " + role + " LOGIN PASSWORD 'x'");
    try {
      String asRole = pgUrl.replaceFirst("user=[^&]*", "user=" + role + "&password=x");
      assertThat(run("doctor", "--pg-url", asRole)).as(out::toString).isEqualTo(1);
      assertThat(out.toString())
          .containsPattern("error +postgres.rights +" + role)
          .contains("GRANT USAGE ON SCHEMA millpond TO " + role);
    } finally {
      plant(pgUrl, "DROP ROLE " + role);
    }
    LiveServer.assertCleanBooks(MillpondConfig.of(pgUrl));
  }

  @Test
  void doctorNamesARedisThatEvicts(@TempDir Path directory) {
    String pgUrl = LiveServer.migratedDatabase();
    StartOptions options = StartOptions.defaults().withSetting("maxmemory-policy", "allkeys-lru");
    try (EmbeddedRedis redis = EmbeddedRedis.start(directory, options)) {
      assertThat(run("doctor", "--pg-url", pgUrl, "--redis-urls", redis.url())).isEqualTo(1);
      assertThat(out.toString())
          .containsPattern("error +redis.0.maxmemory-policy +allkeys-lru")
          .contains("CONFIG SET maxmemory-policy noeviction");
    }
    LiveServer.assertCleanBooks(MillpondConfig.of(pgUrl));
  }

  @Test
  void doctorFindsARedisOutOfReach() {
    String pgUrl = LiveServer.migratedDatabase();
    assertThat(run("doctor", "--pg-url", pgUrl, "--redis-urls", "redis://127.0.0.1:1"))
        .isEqualTo(1);
    assertThat(out.toString()).contains("redis.0", "cannot be reached");
    LiveServer.assertCleanBooks(MillpondConfig.of(pgUrl));
  }

  @Test
  void doctorFindsTheServersOfARunningDemo(@TempDir Path directory) throws IOException {
    String pgUrl = LiveServer.migratedDatabase();
    String runFile = "{\"pid\":%d,\"pgUrl\":\"%s\",\"redisUrls\":[]}";
    Path file = directory.resolve("run.json");
    Files.writeString(file, runFile.formatted(ProcessHandle.current().pid(), pgUrl));
    assertThat(run("doctor", "--data", directory.toString())).as(err::toString).isZero();
    assertThat(out.toString()).containsPattern("ok +demo +process");

    // Left over by a demo that is gone, or pointing elsewhere: not believed.
    for (String other :
        List.of(
            runFile.formatted(Integer.MAX_VALUE, pgUrl),
            runFile.formatted(
                ProcessHandle.current().pid(), "jdbc:postgresql://192.0.2.1/x?user=u"))) {
      Files.writeString(file, other);
      assertThat(run("doctor", "--data", directory.toString())).isEqualTo(2);
      assertThat(err.toString()).contains("millpond.pg.url");
    }
    LiveServer.assertCleanBooks(MillpondConfig.of(pgUrl));
  }

  @Test
  void doctorExitsWithThreeWhenPostgresIsOutOfReach() {
    assertThat(
            run("doctor", "--json", "--pg-url", "jdbc:postgresql://127.0.0.1:1/none?user=nobody"))
        .isEqualTo(3);
    assertThat(LiveServer.json(out.toString()).get("clean").asBoolean()).isFalse();
  }

  private static List<String> checks(JsonNode report) {
    return report.get("checks").valueStream().map(check -> check.get("check").asString()).toList();
  }

  private static List<String> levels(JsonNode report) {
    return report.get("checks").valueStream().map(check -> check.get("level").asString()).toList();
  }

  /** Runs a statement, with {@code :db} for the database and {@code :tomorrow} for its day. */
  private static void plant(String pgUrl, String sql) throws SQLException {
    try (Connection connection = DriverManager.getConnection(pgUrl);
        Statement statement = connection.createStatement()) {
      String tomorrow =
          LocalDate.now(ZoneOffset.UTC).plusDays(1).format(DateTimeFormatter.BASIC_ISO_DATE);
      statement.execute(
          sql.replace(":db", "\"" + connection.getCatalog() + "\"").replace(":tomorrow", tomorrow));
    }
  }

  private int run(String... args) {
    CommandLine command = MillpondCommand.commandLine();
    command.setOut(new PrintWriter(out, true));
    command.setErr(new PrintWriter(err, true));
    return command.execute(args);
  }
}
