package dev.millpond.server.http;

import static dev.millpond.server.support.LiveServer.json;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millpond.api.FatalJobException;
import dev.millpond.engine.Millpond;
import dev.millpond.server.config.ConfigKey;
import dev.millpond.server.support.LiveServer;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** Jobs by HTTP, from the submit to the end, with a worker beside the server. */
@TestInstance(Lifecycle.PER_CLASS)
class HttpApiIT {
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private LiveServer live;
  private Millpond worker;

  /** Jobs that have failed once. */
  private final Set<String> failed = ConcurrentHashMap.newKeySet();

  @BeforeAll
  void start(@TempDir Path directory) {
    live = LiveServer.start(directory, Map.of(ConfigKey.ROLE, "api,maintenance"));
    assertThat(directory.resolve("run.json")).exists();
    worker = Millpond.connect(live.engine());
    worker
        .registerHandler("echo", JsonNode.class, (context, payload) -> payload)
        .registerHandler(
            "fatal.once",
            String.class,
            (context, payload) -> {
              if (failed.add(context.jobId().toString())) {
                throw new FatalJobException("Cannot read " + payload);
              }
              return payload;
            });
    worker.startWorker();
  }

  @AfterAll
  void stop() {
    worker.close();
    live.close();
  }

  @Test
  void aSubmitIsTheSameInAnotherSpellingOfItsPath() throws IOException, InterruptedException {
    String job = "{\"kind\":\"echo\"}";
    HttpResponse<String> plain = live.post("/v1/jobs", job);
    HttpResponse<String> spelled = live.post("/v1/j%6Fbs", job);
    assertThat(spelled.statusCode()).isEqualTo(plain.statusCode()).isEqualTo(202);
    assertThat(spelled.headers().map().keySet()).isEqualTo(plain.headers().map().keySet());
    assertThat(live.post("/v1/j%6Fbs", "{}").body()).isEqualTo(live.post("/v1/jobs", "{}").body());
    assertThat(live.post("/v1/jobs/b%61tch", "[]").body())
        .isEqualTo(live.post("/v1/jobs/batch", "[]").body())
        .contains("batch-size");
  }

  @Test
  void aJobIsAcceptedThenRunThenShown() throws IOException, InterruptedException {
    HttpResponse<String> accepted =
        live.post(
            "/v1/jobs",
            "{\"kind\":\"echo\",\"payload\":{\"b\": 1.50,\"a\":[\"\\u00e9\"]},\"tags\":[\"x\"],"
                + "\"maxAttempts\":3}");
    assertThat(accepted.statusCode()).isEqualTo(202);
    assertThat(accepted.headers().firstValue("Content-Type")).contains("application/json");
    String id = json(accepted).get("id").asString();
    assertThat(accepted.headers().firstValue("Location")).contains("/v1/jobs/" + id);

    JsonNode job = awaitState(id, "succeeded");
    assertThat(job.get("id").asString()).isEqualTo(id);
    assertThat(job.get("kind").asString()).isEqualTo("echo");
    assertThat(job.get("queue").asString()).isEqualTo("default");
    assertThat(job.get("priorityClass").asString()).isEqualTo("normal");
    assertThat(job.get("tags").get(0).asString()).isEqualTo("x");
    assertThat(job.get("maxAttempts").asInt()).isEqualTo(3);
    assertThat(job.get("attempt").asInt()).isEqualTo(1);
    assertThat(job.get("createdAt").asString()).endsWith("Z");
    assertThat(job.get("endedAt").asString()).endsWith("Z");
    assertThat(job.get("result")).isEqualTo(json("{\"b\":1.50,\"a\":[\"é\"]}"));
    assertThat(job.has("error")).isFalse();
    assertThat(live.get("/v1/jobs/" + id).body())
        .contains("\"payload\":{\"b\": 1.50,\"a\":[\"\\u00e9\"]}");
  }

  @Test
  void aDelayedJobIsScheduled() throws IOException, InterruptedException {
    String id =
        json(live.post("/v1/jobs", "{\"kind\":\"nobody\",\"delay\":\"PT1H\"}"))
            .get("id")
            .asString();
    JsonNode job = json(live.get("/v1/jobs/" + id));
    assertThat(job.get("state").asString()).isEqualTo("scheduled");
    assertThat(job.get("runAt").asString()).endsWith("Z");
  }

  @Test
  void aBatchIsAcceptedInItsOrder() throws IOException, InterruptedException {
    HttpResponse<String> accepted =
        live.post(
            "/v1/jobs/batch",
            "{\"jobs\":[{\"kind\":\"echo\",\"payload\":0},{\"kind\":\"echo\",\"payload\":1},"
                + "{\"kind\":\"echo\",\"payload\":2}]}");
    assertThat(accepted.statusCode()).isEqualTo(202);
    JsonNode jobs = json(accepted).get("jobs");
    assertThat(jobs.size()).isEqualTo(3);
    for (int i = 0; i < 3; i++) {
      JsonNode job = awaitState(jobs.get(i).get("id").asString(), "succeeded");
      assertThat(job.get("payload").asInt()).isEqualTo(i);
    }
  }

  @Test
  void aBatchOfTenThousandIsAccepted() throws IOException, InterruptedException {
    String one =
        "{\"kind\":\"nobody\",\"queue\":\"many\",\"delay\":\"P1D\",\"payload\":\""
            + "x".repeat(1_000)
            + "\"}";
    HttpResponse<String> accepted =
        live.post("/v1/jobs/batch", "{\"jobs\":[" + (one + ",").repeat(9_999) + one + "]}");
    assertThat(accepted.statusCode()).isEqualTo(202);
    assertThat(json(accepted).get("jobs").size()).isEqualTo(10_000);
  }

  @Test
  void oneBadJobRefusesItsBatchAndIsNamed() throws IOException, InterruptedException {
    long before = live.jobs();
    HttpResponse<String> refused =
        live.post("/v1/jobs/batch", "{\"jobs\":[{\"kind\":\"echo\"},{\"kind\":\"Not A Name\"}]}");
    assertThat(refused.statusCode()).isEqualTo(422);
    JsonNode error = json(refused).get("errors").get(0);
    assertThat(error.get("pointer").asString()).isEqualTo("/jobs/1/kind");
    assertThat(error.get("index").asInt()).isEqualTo(1);
    assertThat(live.jobs()).isEqualTo(before);
  }

  @Test
  void theSameKeyAndBodyIsTheSameJob() throws IOException, InterruptedException {
    String body = "{\"kind\":\"nobody\",\"payload\":1}";
    HttpResponse<String> first = live.post("/v1/jobs", body, "Idempotency-Key", "key-1");
    HttpResponse<String> again = live.post("/v1/jobs", body, "Idempotency-Key", "key-1");
    assertThat(first.statusCode()).isEqualTo(202);
    assertThat(first.headers().firstValue("Idempotency-Replayed")).isEmpty();
    assertThat(again.statusCode()).isEqualTo(202);
    assertThat(again.headers().firstValue("Idempotency-Replayed")).contains("true");
    assertThat(again.headers().firstValue("Location"))
        .isEqualTo(first.headers().firstValue("Location"));
    assertThat(json(again).get("id")).isEqualTo(json(first).get("id"));
    assertThat(json(again).get("existing").asBoolean()).isTrue();

    HttpResponse<String> other =
        live.post("/v1/jobs", "{\"kind\":\"nobody\",\"payload\":2}", "Idempotency-Key", "key-1");
    assertThat(other.statusCode()).isEqualTo(422);
    assertThat(json(other).get("type").asString()).isEqualTo("/problems/idempotency-conflict");
  }

  @Test
  void theReplayOfAnEndedJobCarriesItsResult() throws IOException, InterruptedException {
    String body = "{\"kind\":\"echo\",\"payload\":\"r\",\"idempotencyKey\":\"key-2\"}";
    String id = json(live.post("/v1/jobs", body)).get("id").asString();
    awaitState(id, "succeeded");
    HttpResponse<String> again = live.post("/v1/jobs", body);
    assertThat(again.statusCode()).isEqualTo(200);
    assertThat(json(again).get("id").asString()).isEqualTo(id);
    assertThat(json(again).get("result").asString()).isEqualTo("r");

    HttpResponse<String> batch = live.post("/v1/jobs/batch", "{\"jobs\":[" + body + "]}");
    assertThat(batch.statusCode()).isEqualTo(200);
    assertThat(batch.headers().firstValue("Idempotency-Replayed")).contains("true");
    assertThat(json(batch).get("jobs").get(0).get("existing").asBoolean()).isTrue();
  }

  @Test
  void anIdempotencyKeyThatCannotBeUsedIsRefused() throws IOException, InterruptedException {
    String body = "{\"kind\":\"echo\",\"idempotencyKey\":\"a\"}";
    assertThat(live.post("/v1/jobs", body, "Idempotency-Key", "k".repeat(256)).statusCode())
        .isEqualTo(400);
    assertThat(
            live.post("/v1/jobs", body, "Idempotency-Key", "a", "Idempotency-Key", "b")
                .statusCode())
        .isEqualTo(400);
    assertThat(live.post("/v1/jobs", body, "Idempotency-Key", "b").statusCode()).isEqualTo(422);
    HttpResponse<String> twice =
        live.post("/v1/jobs/batch", "{\"jobs\":[" + body + "]}", "Idempotency-Key", "a");
    assertThat(twice.statusCode()).isEqualTo(422);
    assertThat(json(twice).get("errors").get(0).get("pointer").asString())
        .isEqualTo("/jobs/0/idempotencyKey");
  }

  @Test
  void aDeadJobIsListedAndRedriven() throws IOException, InterruptedException {
    String id =
        json(live.post("/v1/jobs", "{\"kind\":\"fatal.once\",\"queue\":\"dlq\",\"payload\":\"p\"}"))
            .get("id")
            .asString();
    JsonNode dead = awaitState(id, "dead");
    assertThat(dead.get("error").get("message").asString()).isEqualTo("Cannot read p");
    assertThat(dead.get("attempts").get(0).get("ended").asString()).isEqualTo("fatal");

    JsonNode page = json(live.get("/v1/dead-letters?queue=dlq&kind=fatal.once&limit=10"));
    assertThat(page.get("items").size()).isEqualTo(1);
    JsonNode letter = page.get("items").get(0);
    assertThat(letter.get("jobId").asString()).isEqualTo(id);
    assertThat(letter.get("reason").asString()).isEqualTo("fatal");
    assertThat(letter.get("error").get("message").asString()).isEqualTo("Cannot read p");
    assertThat(page.get("partial").asBoolean()).isFalse();

    HttpResponse<String> redriven = live.post("/v1/dead-letters/" + id + "/redrive");
    assertThat(redriven.statusCode()).isEqualTo(202);
    assertThat(redriven.headers().firstValue("Location")).contains("/v1/jobs/" + id);
    JsonNode job = awaitState(id, "succeeded");
    assertThat(job.get("attempts").size()).isGreaterThanOrEqualTo(1);
    assertThat(json(live.get("/v1/dead-letters?queue=dlq")).get("items").size()).isZero();

    HttpResponse<String> again = live.post("/v1/dead-letters/" + id + "/redrive");
    assertThat(again.statusCode()).isEqualTo(409);
    assertThat(json(again).get("type").asString()).isEqualTo("/problems/wrong-state");
    assertThat(json(again).get("state").asString()).isEqualTo("succeeded");
  }

  @Test
  void deadLettersComeInPages() throws IOException, InterruptedException {
    Set<String> expected = new HashSet<>();
    for (int i = 0; i < 5; i++) {
      String id =
          json(live.post("/v1/jobs", "{\"kind\":\"fatal.once\",\"queue\":\"pages\"}"))
              .get("id")
              .asString();
      awaitState(id, "dead");
      expected.add(id);
    }
    Set<String> listed = new HashSet<>();
    String cursor = "";
    int pages = 0;
    do {
      JsonNode page = json(live.get("/v1/dead-letters?queue=pages&limit=2" + cursor));
      page.get("items").forEach(item -> listed.add(item.get("jobId").asString()));
      cursor = page.has("nextCursor") ? "&cursor=" + page.get("nextCursor").asString() : "";
      pages++;
    } while (!cursor.isEmpty() && pages < 10);
    assertThat(listed).isEqualTo(expected);
    assertThat(pages).isGreaterThanOrEqualTo(3);
  }

  @Test
  void queuesAreListedWithTheirDepth() throws IOException, InterruptedException {
    live.post("/v1/jobs", "{\"kind\":\"nobody\",\"queue\":\"deep\"}");
    await()
        .atMost(PATIENCE)
        .untilAsserted(() -> {
          JsonNode page = json(live.get("/v1/queues"));
          assertThat(page.get("partial").asBoolean()).isFalse();
          JsonNode deep = null;
          for (JsonNode queue : page.get("items")) {
            deep = queue.get("name").asString().equals("deep") ? queue : deep;
          }
          assertThat(deep).isNotNull();
          assertThat(deep.get("depth").asLong()).isEqualTo(1);
          assertThat(json(live.get("/v1/queues/deep")).get("depth").asLong()).isEqualTo(1);
        });
    HttpResponse<String> unknown = live.get("/v1/queues/no-such-queue");
    assertThat(unknown.statusCode()).isEqualTo(404);
    assertThat(json(unknown).get("type").asString()).isEqualTo("/problems/queue-not-found");
  }

  @Test
  void healthAndMetricsAreServed() throws IOException, InterruptedException {
    assertThat(live.get("/health/live").statusCode()).isEqualTo(200);
    HttpResponse<String> ready = live.get("/health/ready");
    assertThat(ready.statusCode()).isEqualTo(200);
    assertThat(json(ready).get("components").size()).isPositive();
    HttpResponse<String> metrics = live.get("/metrics");
    assertThat(metrics.statusCode()).isEqualTo(200);
    assertThat(metrics.headers().firstValue("Content-Type").orElse(""))
        .startsWith("text/plain; version=0.0.4");
    assertThat(metrics.body()).contains("millpond_", "jvm_memory_used_bytes");
  }

  @Test
  void aServerWithoutTheApiRoleServesOnlyHealthAndMetrics(@TempDir Path directory)
      throws IOException, InterruptedException {
    Path runFile = directory.resolve("run.json");
    try (LiveServer other =
        LiveServer.start(
            directory,
            Map.of(
                ConfigKey.ROLE, "worker",
                ConfigKey.PG_URL, live.engine().pgUrl(),
                ConfigKey.RUN_FILE, runFile.toString()))) {
      assertThat(json(Files.readString(runFile)).get("roles").toString()).isEqualTo("[\"worker\"]");
      assertThat(other.get("/health/live").statusCode()).isEqualTo(200);
      assertThat(other.get("/health/ready").statusCode()).isEqualTo(200);
      assertThat(other.get("/metrics").statusCode()).isEqualTo(200);
      assertThat(other.get("/v1/queues").statusCode()).isEqualTo(404);
      assertThat(other.post("/v1/jobs", "{\"kind\":\"echo\"}").statusCode()).isEqualTo(404);
    }
    assertThat(runFile).doesNotExist();
  }

  private JsonNode awaitState(String id, String state) {
    return await()
        .atMost(PATIENCE)
        .pollInterval(Duration.ofMillis(20))
        .until(() -> job(id), job -> job.get("state").asString().equals(state));
  }

  private JsonNode job(String id) throws IOException, InterruptedException {
    HttpResponse<String> response = live.get("/v1/jobs/" + id);
    assertThat(response.statusCode()).as(response::body).isEqualTo(200);
    return json(response);
  }
}
