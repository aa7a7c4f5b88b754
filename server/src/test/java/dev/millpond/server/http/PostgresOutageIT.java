package dev.millpond.server.http;

import static dev.millpond.server.support.LiveServer.json;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millpond.embedded.EmbeddedPostgres;
import dev.millpond.engine.Millpond;
import dev.millpond.server.config.ConfigKey;
import dev.millpond.server.support.LiveServer;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Order(1) // takes long: begins first
class PostgresOutageIT {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  /** What PostgreSQL says when a table cannot grow. The real thing is in the fault campaign. */
  private static final String DISK_FULL =
      """
      CREATE FUNCTION public.disk_full() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full';
      END $$;
      CREATE TRIGGER disk_full BEFORE INSERT ON millpond.job EXECUTE FUNCTION public.disk_full()
      """;

  @Test
  void withoutPostgresCallersAreToldWhenToComeBackAndItHealsByItself(@TempDir Path directory)
      throws IOException, InterruptedException {
    try (EmbeddedPostgres postgres = EmbeddedPostgres.start(directory.resolve("postgres"));
        LiveServer live =
            LiveServer.start(
                directory,
                Map.of(ConfigKey.ROLE, "api,maintenance", ConfigKey.PG_URL, migrated(postgres)))) {
      assertThat(live.post("/v1/jobs", "{\"kind\":\"a\"}").statusCode()).isEqualTo(202);
      postgres.stopImmediately();
      try {
        assertUnavailable(live.post("/v1/jobs", "{\"kind\":\"a\"}"));
        HttpResponse<String> unread = live.get("/v1/queues");
        assertThat(unread.statusCode()).isEqualTo(503);
        assertThat(json(unread).has("inDoubt")).isFalse();
        assertThat(json(unread).get("detail").asString())
            .contains("PostgreSQL", "SQLSTATE")
            .doesNotContain("127.0.0.1", "localhost");
        assertThat(live.get("/health/live").statusCode()).isEqualTo(200);
        await().atMost(PATIENCE).until(() -> live.get("/health/ready").statusCode() == 503);
      } finally {
        postgres.restart();
      }
      await()
          .atMost(PATIENCE)
          .until(() -> live.post("/v1/jobs", "{\"kind\":\"a\"}").statusCode() == 202);
      await().atMost(PATIENCE).until(() -> live.get("/health/ready").statusCode() == 200);
    }
  }

  @Test
  void aFullDiskOfPostgresIsAnsweredAsAnOutageAndHealsByItself(@TempDir Path directory)
      throws IOException, InterruptedException, SQLException {
    String pgUrl = LiveServer.migratedDatabase();
    try (Connection connection = DriverManager.getConnection(pgUrl);
        Statement statement = connection.createStatement();
        LiveServer live =
            LiveServer.start(
                directory, Map.of(ConfigKey.ROLE, "api,maintenance", ConfigKey.PG_URL, pgUrl))) {
      assertThat(live.post("/v1/jobs", "{\"kind\":\"a\"}").statusCode()).isEqualTo(202);
      statement.execute(DISK_FULL);
      assertUnavailable(live.post("/v1/jobs", "{\"kind\":\"a\"}"));
      assertUnavailable(
          live.post("/v1/jobs/batch", "{\"jobs\":[{\"kind\":\"a\"},{\"kind\":\"a\"}]}"));
      statement.execute("DROP FUNCTION public.disk_full() CASCADE");
      await()
          .atMost(PATIENCE)
          .until(() -> live.post("/v1/jobs", "{\"kind\":\"a\"}").statusCode() == 202);
    }
  }

  private static void assertUnavailable(HttpResponse<String> refused) {
    assertThat(refused.statusCode()).isEqualTo(503);
    assertThat(refused.headers().firstValue("Retry-After").orElse("")).matches("[1-9][0-9]*");
    assertThat(json(refused).get("type").asString()).isEqualTo("/problems/postgres-unavailable");
    assertThat(json(refused).get("remedy").asString()).isNotEmpty();
    assertThat(json(refused).has("inDoubt")).isTrue();
  }

  /** A server of its own: the other tests go on meanwhile. */
  private static String migrated(EmbeddedPostgres postgres) {
    postgres.createDatabase("outage");
    String pgUrl = postgres.jdbcUrl("outage");
    Millpond.migrate(pgUrl);
    return pgUrl;
  }
}
