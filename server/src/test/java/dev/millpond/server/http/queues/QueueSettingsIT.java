package dev.millpond.server.http.queues;

import static dev.millpond.server.support.LiveServer.json;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millpond.server.config.ConfigKey;
import dev.millpond.server.support.LiveServer;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** Settings of queues by HTTP, on two servers of one fleet with a class of their own. */
@TestInstance(Lifecycle.PER_CLASS)
class QueueSettingsIT {
  private static final String CLASSES = "critical=60,high=30,normal=10,bulk=1";
  private static final String CONFIGURED = "{\"critical\":60,\"high\":30,\"normal\":10,\"bulk\":1}";

  private LiveServer live;
  private LiveServer other;

  @BeforeAll
  void start(@TempDir Path directory) {
    live =
        LiveServer.start(
            directory.resolve("a"), Map.of(ConfigKey.ROLE, "api", ConfigKey.CLASSES, CLASSES));
    other =
        LiveServer.start(
            directory.resolve("b"),
            Map.of(
                ConfigKey.ROLE,
                "api",
                ConfigKey.CLASSES,
                CLASSES,
                ConfigKey.PG_URL,
                live.engine().pgUrl()));
  }

  @AfterAll
  void stop() {
    other.close();
    live.close();
  }

  @Test
  void weightsAreSetShownAndReset() throws Exception {
    HttpResponse<String> set =
        send(live, "PUT", "/v1/queues/mail/weights", "{\"weights\":{\"normal\":60,\"bulk\":10}}");
    assertThat(set.statusCode()).as(set::body).isEqualTo(200);
    assertThat(set.body())
        .isEqualTo(
            "{\"queue\":\"mail\","
                + "\"weights\":{\"critical\":60,\"high\":30,\"normal\":60,\"bulk\":10},"
                + "\"set\":{\"normal\":60,\"bulk\":10},\"configured\":"
                + CONFIGURED
                + "}");
    assertThat(live.get("/v1/queues/mail/weights").body()).isEqualTo(set.body());
    assertThat(json(live.get("/v1/queues/mail")).get("classes").get(2).toString())
        .isEqualTo("{\"priorityClass\":\"normal\",\"depth\":0,\"weight\":60}");
    followed("/v1/queues/mail/weights", set.body());

    HttpResponse<String> reset = send(other, "DELETE", "/v1/queues/mail/weights", "");

    assertThat(reset.statusCode()).as(reset::body).isEqualTo(200);
    assertThat(json(reset).get("weights").toString()).isEqualTo(CONFIGURED);
    assertThat(json(reset).get("set").toString()).isEqualTo("{}");
    followedBy(live, "/v1/queues/mail/weights", reset.body());
  }

  @Test
  void aQueueIsPreparedAndItsSettingsChangedOneByOne() throws Exception {
    assertThat(live.get("/v1/queues/reports").statusCode()).isEqualTo(404);
    JsonNode made = patched("{\"weight\":300}");
    assertThat(made.get("weight").asInt()).isEqualTo(300);
    assertThat(made.has("aging")).isFalse();
    JsonNode aged = patched("{\"aging\":\"PT30S\"}");
    assertThat(aged.get("weight").asInt()).isEqualTo(300);
    assertThat(aged.get("aging").asString()).isEqualTo("PT30S");
    JsonNode bounded = patched("{\"highWatermark\":500}");
    assertThat(bounded.get("highWatermark").asLong()).isEqualTo(500);
    assertThat(bounded.get("lowWatermark").asLong()).isEqualTo(100);
    assertThat(bounded.get("gate").asString()).isEqualTo("open");
    assertThat(patched("{\"highWatermark\":\"none\"}").has("highWatermark")).isFalse();
    assertThat(patched("{\"highWatermark\":null}").has("gate")).isTrue();
    JsonNode bytes = patched("{\"highWatermarkMib\":100}");
    assertThat(bytes.get("highWatermarkMib").asLong()).isEqualTo(100);
    assertThat(bytes.get("lowWatermarkMib").asLong()).isEqualTo(20);
    assertThat(patched("{\"highWatermarkMib\":\"none\"}").has("highWatermarkMib")).isFalse();
    JsonNode back = patched("{\"weight\":null}");
    assertThat(back.get("weight").asInt()).isEqualTo(100);
    assertThat(back.get("aging").asString()).isEqualTo("PT30S");
    assertThat(patched("{\"aging\":null}").has("aging")).isFalse();
    JsonNode listed =
        json(live.get("/v1/queues"))
            .get("items")
            .valueStream()
            .filter(queue -> queue.get("name").asString().equals("reports"))
            .findFirst()
            .orElseThrow();
    assertThat(listed.get("weight").asInt()).isEqualTo(100);
  }

  @Test
  void limitsAreSetShownAndReset() throws Exception {
    String asked = "{\"concurrency\":10,\"rate\":{\"permits\":100,\"per\":\"PT1S\",\"burst\":50}}";
    HttpResponse<String> set = send(live, "PUT", "/v1/queues/limited/limits", asked);
    assertThat(set.statusCode()).as(set::body).isEqualTo(200);
    assertThat(set.body())
        .isEqualTo(
            "{\"queue\":\"limited\",\"concurrency\":10,\"rate\":{\"permits\":100,"
                + "\"per\":\"PT1S\",\"burst\":50},\"running\":0,\"holders\":[],\"tokens\":50}");
    followed("/v1/queues/limited/limits", set.body());
    HttpResponse<String> kind =
        send(other, "PUT", "/v1/kinds/report/limits", "{\"concurrency\":1}");
    assertThat(kind.body())
        .isEqualTo("{\"kind\":\"report\",\"concurrency\":1,\"running\":0,\"holders\":[]}");

    HttpResponse<String> reset = send(live, "DELETE", "/v1/queues/limited/limits", "");

    assertThat(reset.body()).isEqualTo("{\"queue\":\"limited\",\"running\":0,\"holders\":[]}");
    assertThat(send(live, "DELETE", "/v1/kinds/report/limits", "").statusCode()).isEqualTo(200);
    HttpResponse<String> wrong =
        send(live, "PUT", "/v1/kinds/report/limits", "{\"rate\":{\"per\":1,\"brust\":2}}");
    assertThat(wrong.statusCode()).isEqualTo(422);
    assertThat(json(wrong).get("errors").findValuesAsString("pointer"))
        .containsExactly("/rate/per", "/rate/brust", "/rate/permits");
  }

  @Test
  void whatIsPausedIsShownWithWhoAndWhyUntilItIsResumed() throws Exception {
    HttpResponse<String> pause =
        send(live, "POST", "/v1/queues/bulk/pause", "{\"reason\":\"too much\",\"by\":\"ann\"}");
    assertThat(pause.statusCode()).as(pause::body).isEqualTo(200);
    assertThat(pause.body())
        .matches(
            "\\{\"queue\":\"bulk\",\"paused\":true,\"reason\":\"too much\",\"by\":\"ann\","
                + "\"pausedAt\":\"[^\"]+Z\"}");
    assertThat(json(live.get("/v1/queues/bulk")).get("paused").get("by").asString())
        .isEqualTo("ann");
    assertThat(send(live, "POST", "/v1/kinds/report/pause", "").statusCode()).isEqualTo(200);
    assertThat(send(live, "POST", "/v1/tags/eu/pause", "{}").statusCode()).isEqualTo(200);
    assertThat(json(live.get("/v1/pauses")).get("items").size()).isEqualTo(3);
    followed("/v1/pauses", live.get("/v1/pauses").body());

    HttpResponse<String> resume = send(other, "POST", "/v1/queues/bulk/resume", "");

    assertThat(resume.body()).isEqualTo("{\"queue\":\"bulk\",\"paused\":false}");
    assertThat(send(other, "POST", "/v1/queues/bulk/resume", "").statusCode()).isEqualTo(200);
    send(other, "POST", "/v1/kinds/report/resume", "");
    send(other, "POST", "/v1/tags/eu/resume", "");
    followedBy(live, "/v1/pauses", "{\"items\":[],\"partial\":false}");
    assertThat(json(live.get("/v1/queues/bulk")).has("paused")).isFalse();
  }

  @Test
  void allFieldsThatCannotBeReadAreNamedAndAnImpossibleValueSaysWhy() throws Exception {
    HttpResponse<String> shape =
        send(
            live,
            "PUT",
            "/v1/queues/refused/weights",
            "{\"weights\":{\"high\":\"30\",\"normal\":1.5},\"weight\":1}");
    assertThat(shape.statusCode()).isEqualTo(422);
    assertThat(json(shape).get("errors").findValuesAsString("pointer"))
        .containsExactly("/weights/high", "/weights/normal", "/weight");
    HttpResponse<String> value =
        send(live, "PUT", "/v1/queues/refused/weights", "{\"weights\":{\"hihg\":30}}");
    assertThat(value.statusCode()).isEqualTo(422);
    assertThat(json(value).get("errors").get(0).toString())
        .isEqualTo(
            "{\"pointer\":\"/weights/hihg\",\"code\":\"invalid\",\"detail\":\"is no priority class;"
                + " there are [critical, high, normal, bulk]\"}");
    assertThat(live.get("/v1/queues/refused").statusCode()).isEqualTo(404);
  }

  private JsonNode patched(String body) throws Exception {
    HttpResponse<String> answer = send(live, "PATCH", "/v1/queues/reports", body);
    assertThat(answer.statusCode()).as(answer::body).isEqualTo(200);
    return json(answer);
  }

  private void followed(String path, String body) {
    followedBy(other, path, body);
  }

  private static void followedBy(LiveServer server, String path, String body) {
    await()
        .atMost(Duration.ofSeconds(10))
        .pollInterval(Duration.ofMillis(20))
        .until(() -> server.get(path).body().equals(body));
  }

  private static HttpResponse<String> send(LiveServer to, String verb, String path, String body)
      throws Exception {
    HttpRequest.Builder request = HttpRequest.newBuilder(to.uri(path));
    return to.send(
        body.isEmpty()
            ? request.method(verb, BodyPublishers.noBody())
            : request
                .header("Content-Type", "application/json")
                .method(verb, BodyPublishers.ofString(body)));
  }
}
