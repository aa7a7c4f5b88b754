package dev.millpond.server.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.embedded.TestRedis;
import dev.millpond.embedded.TestServers;
import dev.millpond.engine.MillpondConfig;
import dev.millpond.server.support.LiveServer;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import org.junit.jupiter.api.Test;
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
              "postgres.version",
              "postgres.fsync",
              "postgres.full_page_writes",
              "postgres.synchronous_commit",
              "redis.0.version",
              "redis.0.maxmemory-policy",
              "schema",
              "books");
      LiveServer.assertCleanBooks(MillpondConfig.of(pgUrl).withRedis(List.of(redis.url())));
    }
  }

  @Test
  void doctorFindsAMissingSchema() {
    assertThat(run("doctor", "--pg-url", TestServers.get().freshDatabase())).isEqualTo(1);
    assertThat(out.toString()).contains("schema", "-> Run millpond migrate");
  }

  @Test
  void doctorFindsCommitsThatAreNotDurable() throws SQLException {
    String pgUrl = LiveServer.migratedDatabase();
    try (Connection connection = DriverManager.getConnection(pgUrl);
        Statement statement = connection.createStatement()) {
      statement.execute(
          "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET synchronous_commit = off',"
              + " current_database()); END $$");
    }
    assertThat(run("doctor", "--pg-url", pgUrl)).isEqualTo(1);
    assertThat(out.toString())
        .contains("postgres.synchronous_commit", "-> Set synchronous_commit = on");
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
  void doctorExitsWithThreeWhenPostgresIsOutOfReach() {
    assertThat(
            run("doctor", "--json", "--pg-url", "jdbc:postgresql://127.0.0.1:1/none?user=nobody"))
        .isEqualTo(3);
    assertThat(LiveServer.json(out.toString()).get("clean").asBoolean()).isFalse();
  }

  private static List<String> checks(JsonNode report) {
    return report.get("checks").valueStream().map(check -> check.get("check").asString()).toList();
  }

  private int run(String... args) {
    CommandLine command = MillpondCommand.commandLine();
    command.setOut(new PrintWriter(out, true));
    command.setErr(new PrintWriter(err, true));
    return command.execute(args);
  }
}
