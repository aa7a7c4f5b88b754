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
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PostgresOutageIT {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

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
        HttpResponse<String> refused = live.post("/v1/jobs", "{\"kind\":\"a\"}");
        assertThat(refused.statusCode()).isEqualTo(503);
        assertThat(refused.headers().firstValue("Retry-After").orElse("")).matches("[1-9][0-9]*");
        assertThat(json(refused).get("type").asString())
            .isEqualTo("/problems/postgres-unavailable");
        assertThat(json(refused).get("remedy").asString()).isNotEmpty();
        assertThat(json(refused).has("inDoubt")).isTrue();
        HttpResponse<String> unread = live.get("/v1/queues");
        assertThat(unread.statusCode()).isEqualTo(503);
        assertThat(json(unread).has("inDoubt")).isFalse();
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

  /** A server of its own: the other tests go on meanwhile. */
  private static String migrated(EmbeddedPostgres postgres) {
    postgres.createDatabase("outage");
    String pgUrl = postgres.jdbcUrl("outage");
    Millpond.migrate(pgUrl);
    return pgUrl;
  }
}
