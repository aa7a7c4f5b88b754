package dev.millpond.server.http.workers;

import static dev.millpond.server.support.LiveServer.json;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millpond.server.config.ConfigKey;
import dev.millpond.server.support.LiveServer;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** Workers by HTTP: one server that takes requests, and one that is a worker. */
class WorkersHttpIT {
  @Test
  void aWorkerIsListedDrainedAndTakenBack(@TempDir Path directory) throws Exception {
    try (LiveServer api =
            LiveServer.start(directory.resolve("api"), Map.of(ConfigKey.ROLE, "api,maintenance"));
        LiveServer worker =
            LiveServer.start(
                directory.resolve("worker"),
                Map.of(ConfigKey.ROLE, "worker", ConfigKey.PG_URL, api.engine().pgUrl()))) {
      JsonNode listed = json(api.get("/v1/workers")).get("items");
      assertThat(listed.size()).isEqualTo(1);
      JsonNode one = listed.get(0);
      String id = one.get("id").asString();
      assertThat(id).isEqualTo(worker.server().millpond().nodeId().toString());
      assertThat(one.get("state").asString()).isEqualTo("active");
      assertThat(one.get("slots").asInt()).isPositive();
      assertThat(one.get("busy").asInt()).isZero();
      assertThat(one.get("leaseMillis").asLong()).isEqualTo(2_000);
      assertThat(one.has("drain")).isFalse();

      HttpResponse<String> asked =
          api.post(
              "/v1/workers/" + id + "/drain",
              "{\"by\":\"ann\",\"reason\":\"its host is replaced\"}");

      assertThat(asked.statusCode()).as(asked::body).isEqualTo(200);
      assertThat(json(asked).get("drain").get("by").asString()).isEqualTo("ann");
      until(api, id, "drained");
      assertThat(json(api.get("/v1/workers/" + id)).get("drain").get("reason").asString())
          .isEqualTo("its host is replaced");
      assertThat(worker.get("/health/ready").statusCode()).isEqualTo(200);
      assertThat(worker.get("/metrics").body()).contains("millpond_worker_draining 1.0");
      assertThat(api.post("/v1/workers/" + id + "/drain").statusCode()).isEqualTo(200);

      HttpResponse<String> back =
          api.send(HttpRequest.newBuilder(api.uri("/v1/workers/" + id + "/drain")).DELETE());

      assertThat(back.statusCode()).as(back::body).isEqualTo(200);
      assertThat(json(back).has("drain")).isFalse();
      until(api, id, "active");
    }
  }

  private static void until(LiveServer api, String id, String state) {
    await()
        .atMost(Duration.ofSeconds(30))
        .pollInterval(Duration.ofMillis(20))
        .until(() -> json(api.get("/v1/workers/" + id)).get("state").asString().equals(state));
  }
}
