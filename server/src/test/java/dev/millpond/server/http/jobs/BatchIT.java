package dev.millpond.server.http.jobs;

import static dev.millpond.server.support.LiveServer.json;
import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.server.config.ConfigKey;
import dev.millpond.server.support.LiveServer;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.Socket;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** Batches by HTTP: their shapes, their keys, and streams that are committed in chunks. */
@TestInstance(Lifecycle.PER_CLASS)
class BatchIT {
  private static final String NDJSON = "application/x-ndjson";
  private LiveServer live;

  @BeforeAll
  void start(@TempDir Path directory) {
    live =
        LiveServer.start(
            directory,
            Map.of(
                ConfigKey.ROLE, "api",
                ConfigKey.BATCH_JOBS, "5",
                ConfigKey.PAYLOAD_BYTES, "1024",
                ConfigKey.HTTP_BODY_BYTES, "4096",
                ConfigKey.HTTP_NDJSON_BYTES, "8192"));
  }

  @AfterAll
  void stop() {
    live.close();
  }

  @Test
  void aListAnObjectAndLinesAreTheSameBatch() throws Exception {
    String list = "[" + job(0) + "," + job(1) + "]";
    List<String> ids = ids(live.post("/v1/jobs/batch", list, "Idempotency-Key", "shapes"), 202);
    assertThat(ids).hasSize(2);
    HttpResponse<String> object =
        live.post("/v1/jobs/batch", "{\"jobs\":" + list + "}", "Idempotency-Key", "shapes");
    assertThat(ids(object, 200)).isEqualTo(ids);
    assertThat(object.headers().firstValue("Idempotency-Replayed")).contains("true");
    HttpResponse<String> lines =
        lines("/v1/jobs/batch", "\n" + job(0) + "\r\n \n" + job(1), "shapes");
    assertThat(ids(lines, 200)).isEqualTo(ids);
    assertThat(json(lines).get("jobs").get(1).get("existing").asBoolean()).isTrue();
  }

  @Test
  void anotherBodyUnderTheKeyOfABatchIs422() throws Exception {
    String first =
        ids(live.post("/v1/jobs/batch", "[" + job(0) + "]", "Idempotency-Key", "other"), 202)
            .getFirst();
    long before = live.jobs();
    HttpResponse<String> other =
        live.post("/v1/jobs/batch", "[" + job(1) + "]", "Idempotency-Key", "other");
    assertThat(other.statusCode()).isEqualTo(422);
    assertThat(json(other).get("type").asString()).isEqualTo("/problems/idempotency-conflict");
    assertThat(json(other).get("jobId").asString()).isEqualTo(first);
    assertThat(json(other).has("index")).isFalse();
    assertThat(live.jobs()).isEqualTo(before);
  }

  @Test
  void aBadLineRefusesAllAndIsNamed() throws Exception {
    long before = live.jobs();
    HttpResponse<String> broken =
        lines("/v1/jobs/batch", job(0) + "\n\n" + job(1) + "\n{\"kind\":\n", null);
    assertThat(broken.statusCode()).isEqualTo(400);
    assertThat(json(broken).get("index").asInt()).isEqualTo(2);
    assertThat(json(broken).get("line").asInt()).isEqualTo(4);
    HttpResponse<String> invalid =
        lines("/v1/jobs/batch", job(0) + "\n{\"kind\":\"No Name\"}", null);
    assertThat(invalid.statusCode()).isEqualTo(422);
    assertThat(json(invalid).get("errors").get(0).get("index").asInt()).isEqualTo(1);
    assertThat(json(invalid).get("errors").get(0).get("pointer").asString()).isEqualTo("/kind");
    assertThat(live.jobs()).isEqualTo(before);
  }

  @Test
  void theLimitsInForceAreNamed() throws Exception {
    long before = live.jobs();
    assertThat(detail(lines("/v1/jobs/batch", (job(0) + "\n").repeat(6), null), 400))
        .isEqualTo("A batch has 1 to 5 jobs");
    assertThat(detail(lines("/v1/jobs/batch", "\n\n", null), 400)).contains("1 to 5");
    String large = "{\"kind\":\"a\",\"payload\":\"" + "x".repeat(1_100) + "\"}";
    assertThat(json(live.post("/v1/jobs", large)).get("errors").get(0).get("detail").asString())
        .isEqualTo("must be at most 1024 bytes, is 1102");
    assertThat(detail(live.post("/v1/jobs", " ".repeat(5_000)), 413)).contains("4096 bytes");
    assertThat(detail(lines("/v1/jobs/batch", " \n".repeat(5_000), null), 413))
        .contains("8192 bytes");
    assertThat(detail(lines("/v1/jobs/batch", " ".repeat(5_000), null), 413))
        .isEqualTo("A line may have 4096 bytes");
    assertThat(live.jobs()).isEqualTo(before);
  }

  @Test
  void aStreamIsCommittedInChunksWithAReceiptEach() throws Exception {
    long before = live.jobs();
    List<JsonNode> lines = receipts(lines("/v1/jobs/batch?commitEvery=2", jobs(5), null));
    assertThat(lines).hasSize(4);
    for (int chunk = 0; chunk < 3; chunk++) {
      JsonNode receipt = lines.get(chunk);
      assertThat(receipt.get("chunk").asInt()).isEqualTo(chunk);
      assertThat(receipt.get("first").asInt()).isEqualTo(2 * chunk);
      assertThat(receipt.get("count").asInt()).isEqualTo(receipt.get("ids").size());
      assertThat(receipt.has("replayed")).isFalse();
    }
    assertThat(lines.get(3).toString()).isEqualTo("{\"done\":true,\"jobs\":5}");
    assertThat(live.jobs()).isEqualTo(before + 5);
    assertThat(
            json(live.get("/v1/jobs/" + lines.get(2).get("ids").get(0).asString())).get("payload"))
        .isEqualTo(json("4"));
  }

  @Test
  void aReceiptComesWhileTheRestIsNotYetSent() throws Exception {
    try (Socket socket = new Socket(live.uri("/").getHost(), live.uri("/").getPort())) {
      OutputStream out = socket.getOutputStream();
      BufferedReader in =
          new BufferedReader(
              new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
      String head =
          """
          POST /v1/jobs/batch?commitEvery=1 HTTP/1.1
          Host: localhost
          Connection: close
          Content-Type: application/x-ndjson
          Transfer-Encoding: chunked

          """;
      out.write(head.replace("\n", "\r\n").getBytes(StandardCharsets.US_ASCII));
      sendChunk(out, job(0) + "\n");
      assertThat(until(in, "\"chunk\":0")).contains("\"count\":1");
      sendChunk(out, job(1) + "\n");
      assertThat(until(in, "\"chunk\":1")).contains("\"first\":1");
      sendChunk(out, "");
      assertThat(until(in, "\"done\":true")).contains("\"jobs\":2");
    }
  }

  @Test
  void aBadLineAfterACommitIsTheLastLineAndWhatWasCommittedStays() throws Exception {
    long before = live.jobs();
    List<JsonNode> lines =
        receipts(lines("/v1/jobs/batch?commitEvery=2", jobs(3) + "{\"kind\":7}\n" + job(9), null));
    assertThat(lines).hasSize(2);
    JsonNode problem = lines.getLast();
    assertThat(problem.get("type").asString()).isEqualTo("/problems/invalid-fields");
    assertThat(problem.get("status").asInt()).isEqualTo(422);
    assertThat(problem.get("chunk").asInt()).isEqualTo(1);
    assertThat(problem.get("index").asInt()).isEqualTo(3);
    assertThat(problem.get("jobs").asInt()).isEqualTo(2);
    lines = receipts(lines("/v1/jobs/batch?commitEvery=2", jobs(3) + "{\"kind\":\"A\"}", null));
    assertThat(lines.getLast().get("index").asInt()).isEqualTo(3);
    assertThat(lines.getLast().get("errors").get(0).get("index").asInt()).isEqualTo(3);
    assertThat(live.jobs()).isEqualTo(before + 4);
    HttpResponse<String> first =
        lines("/v1/jobs/batch?commitEvery=2", "{\"kind\":\"A\"}\n" + jobs(3), null);
    assertThat(first.statusCode()).isEqualTo(422);
    assertThat(live.jobs()).isEqualTo(before + 4);
  }

  @Test
  void aStreamThatWasCutIsSentAgainUnderItsKey() throws Exception {
    long before = live.jobs();
    String body = jobs(7);
    List<JsonNode> cut =
        receipts(lines("/v1/jobs/batch?commitEvery=3", jobs(6) + "{\"kind\":7}", "stream"));
    List<JsonNode> again = receipts(lines("/v1/jobs/batch?commitEvery=3", body, "stream"));
    assertThat(again.get(0).get("replayed").asBoolean()).isTrue();
    assertThat(again.get(1).get("replayed").asBoolean()).isTrue();
    assertThat(again.get(2).has("replayed")).isFalse();
    assertThat(again.get(0).get("ids")).isEqualTo(cut.get(0).get("ids"));
    assertThat(again.get(1).get("ids")).isEqualTo(cut.get(1).get("ids"));
    assertThat(live.jobs()).isEqualTo(before + 7);
    HttpResponse<String> others = lines("/v1/jobs/batch?commitEvery=2", body, "stream");
    assertThat(others.statusCode()).isEqualTo(422);
    assertThat(live.jobs()).isEqualTo(before + 7);
  }

  @Test
  void aKeyOfAnotherBodyInALaterChunkIsNamedByItsPlaceInTheStream() throws Exception {
    live.post("/v1/jobs", job(0), "Idempotency-Key", "of-one");
    String taken = "{\"kind\":\"nobody\",\"payload\":1,\"idempotencyKey\":\"of-one\"}";
    JsonNode problem =
        receipts(lines("/v1/jobs/batch?commitEvery=2", jobs(3) + taken, null)).getLast();
    assertThat(problem.get("type").asString()).isEqualTo("/problems/idempotency-conflict");
    assertThat(problem.get("chunk").asInt()).isEqualTo(1);
    assertThat(problem.get("index").asInt()).isEqualTo(3);
  }

  @Test
  void aCallerWhoSendsAllBeforeItReadsGetsItsReceiptsAndTheProblem(@TempDir Path directory)
      throws Exception {
    String body = jobs(3) + "{\"kind\":7}\n" + jobs(200_000);
    try (LiveServer roomy = LiveServer.start(directory, Map.of(ConfigKey.ROLE, "api"))) {
      for (String path : List.of("/v1/jobs/batch?commitEvery=2", "/v1/jobs/batch")) {
        HttpRequest.Builder request =
            HttpRequest.newBuilder(roomy.uri(path))
                .header("Content-Type", NDJSON)
                .POST(BodyPublishers.ofString(body));
        HttpResponse<String> answer = roomy.send(request);
        JsonNode problem = json(answer.body().lines().toList().getLast());
        assertThat(problem.get("type").asString()).isEqualTo("/problems/invalid-fields");
        assertThat(problem.get("index").asInt()).isEqualTo(3);
      }
      assertThat(roomy.jobs()).isEqualTo(2);
    }
  }

  @Test
  void chunksAreForLinesOnlyAndWithinTheLimitOfABatch() throws Exception {
    for (String query : List.of("0", "6", "x", "-1", "")) {
      assertThat(lines("/v1/jobs/batch?commitEvery=" + query, job(0), null).statusCode())
          .as(query)
          .isEqualTo(400);
    }
    assertThat(detail(live.post("/v1/jobs/batch?commitEvery=2", "[" + job(0) + "]"), 400))
        .contains("application/x-ndjson only");
    assertThat(lines("/v1/jobs", job(0), null).statusCode()).isEqualTo(415);
  }

  private static String job(int payload) {
    return "{\"kind\":\"nobody\",\"payload\":" + payload + "}";
  }

  private static String jobs(int count) {
    StringBuilder body = new StringBuilder();
    for (int i = 0; i < count; i++) {
      body.append(job(i)).append('\n');
    }
    return body.toString();
  }

  private HttpResponse<String> lines(String path, String body, @Nullable String key)
      throws IOException, InterruptedException {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(live.uri(path))
            .header("Content-Type", NDJSON)
            .POST(BodyPublishers.ofString(body));
    return live.send(key == null ? request : request.header("Idempotency-Key", key));
  }

  private static List<JsonNode> receipts(HttpResponse<String> response) {
    assertThat(response.statusCode()).as(response::body).isEqualTo(202);
    assertThat(response.headers().firstValue("Content-Type").orElse("")).startsWith(NDJSON);
    return response.body().lines().map(LiveServer::json).toList();
  }

  private static List<String> ids(HttpResponse<String> response, int status) {
    assertThat(response.statusCode()).as(response::body).isEqualTo(status);
    List<String> ids = new ArrayList<>();
    json(response).get("jobs").forEach(job -> ids.add(job.get("id").asString()));
    return ids;
  }

  private static String detail(HttpResponse<String> response, int status) {
    assertThat(response.statusCode()).as(response::body).isEqualTo(status);
    return json(response).get("detail").asString();
  }

  private static void sendChunk(OutputStream out, String text) throws IOException {
    String length = Integer.toHexString(text.length());
    out.write((length + "\r\n" + text + "\r\n").getBytes(StandardCharsets.US_ASCII));
    out.flush();
  }

  private static String until(BufferedReader in, String part) throws IOException {
    String line = in.readLine();
    while (line != null && !line.contains(part)) {
      line = in.readLine();
    }
    return String.valueOf(line);
  }
}
