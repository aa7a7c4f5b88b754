package dev.millpond.server.http.jobs;

import static dev.millpond.server.support.LiveServer.json;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millpond.server.config.ConfigKey;
import dev.millpond.server.support.LiveServer;
import java.io.IOException;
import java.net.Socket;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** Full queues over HTTP. */
class GateHttpIT {
  private static final String JOB = "{\"kind\":\"none\",\"payload\":1}";
  private static final Duration PATIENCE = Duration.ofSeconds(20);

  @TempDir private Path directory;
  private LiveServer live;
  private final List<UUID> accepted = new ArrayList<>();

  @BeforeEach
  void start() {
    live =
        LiveServer.start(
            directory,
            Map.of(
                ConfigKey.QUEUE_HIGH_WATERMARK, "10",
                ConfigKey.QUEUE_LOW_WATERMARK, "9",
                ConfigKey.ROLE, "api"));
  }

  @AfterEach
  void stop() {
    live.close();
  }

  private void fill() throws Exception {
    for (int i = 0; i < 10; i++) {
      HttpResponse<String> response = live.post("/v1/jobs", JOB);
      assertThat(response.statusCode()).isEqualTo(202);
      accepted.add(UUID.fromString(json(response).get("id").asString()));
    }
  }

  /** Below the low mark, with room for two. */
  private void drain() {
    accepted.subList(0, 2).forEach(id -> live.server().millpond().cancel(id));
  }

  private double waiting() throws IOException, InterruptedException {
    return live.get("/metrics")
        .body()
        .lines()
        .filter(line -> line.startsWith("millpond_submits_waiting"))
        .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' '))))
        .sum();
  }

  private CompletableFuture<HttpResponse<String>> waits(String path, String type, String body) {
    return CompletableFuture.supplyAsync(() -> {
      try {
        return live.send(
            HttpRequest.newBuilder(live.uri(path))
                .header("Content-Type", type)
                .POST(BodyPublishers.ofString(body)));
      } catch (IOException | InterruptedException e) {
        throw new IllegalStateException(e);
      }
    });
  }

  @Test
  void aFullQueueIsA503WithItsNumbersAndARetryAfter() throws Exception {
    fill();
    for (HttpResponse<String> refused :
        List.of(
            live.post("/v1/jobs", JOB),
            live.post("/v1/jobs?wait=0", JOB),
            live.post("/v1/jobs/batch", "[" + JOB + "," + JOB + "]"))) {
      assertThat(refused.statusCode()).isEqualTo(503);
      assertThat(refused.headers().firstValue("Retry-After")).contains("60");
      assertThat(refused.headers().firstValue("Content-Type")).contains("application/problem+json");
      JsonNode problem = json(refused);
      assertThat(problem.get("type").asString()).isEqualTo("/problems/queue-full");
      assertThat(problem.get("queue").asString()).isEqualTo("default");
      assertThat(problem.get("measure").asString()).isEqualTo("jobs");
      assertThat(problem.get("depth").asLong()).isEqualTo(10);
      assertThat(problem.get("highWatermark").asLong()).isEqualTo(10);
      assertThat(problem.get("lowWatermark").asLong()).isEqualTo(9);
    }
    await()
        .atMost(PATIENCE)
        .until(() -> json(live.get("/v1/queues/default")).get("gate").asString().equals("closed"));
    assertThat(live.get("/metrics").body()).contains("millpond_jobs_refused_total");
  }

  @Test
  void aSubmitThatWaitsComesInOnceThereIsRoom() throws Exception {
    fill();
    CompletableFuture<HttpResponse<String>> one =
        waits("/v1/jobs?wait=30", "application/json", JOB);
    CompletableFuture<HttpResponse<String>> lines =
        waits("/v1/jobs/batch?wait=30&commitEvery=1", "application/x-ndjson", JOB + "\n");
    await().atMost(PATIENCE).until(() -> waiting() == 2);
    drain();
    assertThat(one.get(20, TimeUnit.SECONDS).statusCode()).isEqualTo(202);
    assertThat(lines.get(20, TimeUnit.SECONDS).body()).contains("\"done\":true");
  }

  @Test
  void aSubmitWaitsNoLongerThanItAsks() throws Exception {
    fill();
    long began = System.nanoTime();
    HttpResponse<String> refused = live.post("/v1/jobs?wait=1", JOB);
    assertThat(refused.statusCode()).isEqualTo(503);
    assertThat(Duration.ofNanos(System.nanoTime() - began))
        .isBetween(Duration.ofSeconds(1), Duration.ofSeconds(8));
    for (String wrong : List.of("31", "-1", "1.5", "soon", "")) {
      HttpResponse<String> bad = live.post("/v1/jobs?wait=" + wrong, JOB);
      assertThat(bad.statusCode()).as(wrong).isEqualTo(400);
      assertThat(json(bad).get("parameter").asString()).isEqualTo("wait");
    }
  }

  @Test
  void aReplayPassesAClosedGate() throws Exception {
    HttpResponse<String> first = live.post("/v1/jobs", JOB, "Idempotency-Key", "k");
    assertThat(first.statusCode()).isEqualTo(202);
    for (int i = 0; i < 9; i++) {
      live.post("/v1/jobs", JOB);
    }
    assertThat(live.post("/v1/jobs", JOB).statusCode()).isEqualTo(503);
    HttpResponse<String> again = live.post("/v1/jobs", JOB, "Idempotency-Key", "k");
    assertThat(again.statusCode()).isEqualTo(202);
    assertThat(again.headers().firstValue("Idempotency-Replayed")).contains("true");
    assertThat(live.post("/v1/jobs", JOB, "Idempotency-Key", "l").statusCode()).isEqualTo(503);
  }

  @Test
  void aClientThatHangsUpGivesItsPlaceToOthers() throws Exception {
    Assumptions.assumeTrue(Files.exists(Path.of("/proc/net/tcp")));
    fill();
    try (Socket socket = new Socket(live.uri("/").getHost(), live.uri("/").getPort())) {
      String request =
          "POST /v1/jobs?wait=30 HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
              + "Content-Length: "
              + JOB.length()
              + "\r\n\r\n"
              + JOB;
      socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
      await().atMost(PATIENCE).until(() -> waiting() == 1);
    }
    await().atMost(Duration.ofSeconds(15)).until(() -> waiting() == 0);
    drain();
    assertThat(live.jobs()).isEqualTo(10);
  }

  @Test
  void thoseWhoWaitAreAnsweredWhenTheServerStops() throws Exception {
    fill();
    CompletableFuture<HttpResponse<String>> waits =
        waits("/v1/jobs?wait=30", "application/json", JOB);
    await().atMost(PATIENCE).until(() -> waiting() == 1);
    live.server().close();
    assertThat(waits.get(10, TimeUnit.SECONDS).statusCode()).isEqualTo(503);
  }
}
