package dev.millpond.server.http;

import static dev.millpond.server.support.LiveServer.json;
import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.server.config.ConfigKey;
import dev.millpond.server.support.LiveServer;
import dev.millpond.server.support.RawHttp;
import java.io.IOException;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/** Requests that are refused: each gets its problem, and none writes a row. */
@TestInstance(Lifecycle.PER_CLASS)
class HttpErrorsIT {
  private static final String UNKNOWN_ID = "00000000-0000-7000-8000-000000000000";
  private static final String HOST = "Host: 127.0.0.1\nConnection: close\n";
  private static final String JSON_HEAD =
      "POST /v1/jobs HTTP/1.1\n" + HOST + "Content-Type: application/json\n";

  private LiveServer live;

  @BeforeAll
  void start(@TempDir Path directory) {
    live = LiveServer.start(directory, Map.of(ConfigKey.ROLE, "api"));
  }

  @AfterEach
  void noRowWasWritten() {
    assertThat(live.jobs()).isZero();
  }

  @AfterAll
  void stop() {
    live.close();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "{",
        "{\"kind\":\"a\"",
        "{\"kind\":\"a\",\"kind\":\"b\"}",
        "{\"kind\":\"a\",\"payload\":NaN}",
        "{\"kind\":\"a\"} //",
        "{\"kind\":\"a\"}{}",
        "{\"kind\":\"a\",\"payload\":\"\\u0000\"}",
        "{\"kind\":\"a\",\"payload\":\"\\ud800\"}",
        "{\"kind\":\"a\",\"payload\":1e309}",
      })
  void aBodyThatIsNotStrictJsonIs400(String body) throws IOException, InterruptedException {
    problem(live.post("/v1/jobs", body), 400, "malformed-json");
  }

  @Test
  void aBodyThatNestsTooDeepIs400() throws IOException, InterruptedException {
    String deep = "{\"kind\":\"a\",\"payload\":" + "[".repeat(65) + "]".repeat(65) + "}";
    problem(live.post("/v1/jobs", deep), 400, "malformed-json");
  }

  @Test
  void aBodyThatIsNotUtf8Is400() throws IOException {
    byte[] body = "{\"kind\":\"\u00ff\"}".getBytes(StandardCharsets.ISO_8859_1);
    RawHttp.Answer answer =
        RawHttp.send(live.uri("/"), JSON_HEAD + "Content-Length: " + body.length + "\n\n", body);
    problem(answer, 400, "malformed-json");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{}|/kind",
        "{\"kind\":\"UPPER\"}|/kind",
        "{\"kind\":\"a\",\"queue\":\"{x}\"}|/queue",
        "{\"kind\":\"a\",\"priorityClass\":\"boss\"}|/priorityClass",
        "{\"kind\":\"a\",\"state\":\"dead\"}|/state",
        "{\"kind\":\"a\",\"leaseToken\":9}|/leaseToken",
        "{\"kind\":\"a\",\"uniqueKey\":\"u\"}|/uniqueKey",
        "{\"kind\":\"a\",\"delay\":\"-PT1S\"}|/delay",
        "{\"kind\":\"a\",\"delay\":\"P4000D\"}|/delay",
        "{\"kind\":\"a\",\"runAt\":\"9999-12-31T00:00:00Z\"}|/runAt",
        "{\"kind\":\"a\",\"maxAttempts\":0}|/maxAttempts",
        "{\"kind\":\"a\",\"softTimeout\":\"PT0S\"}|/softTimeout",
        "{\"kind\":\"a\",\"softTimeout\":\"P365D\"}|/softTimeout",
        "{\"kind\":\"a\",\"softTimeout\":\"PT9S\",\"hardTimeout\":\"PT8S\"}|/hardTimeout",
        "{\"kind\":\"a\",\"tags\":[\"Not A Tag\"]}|/tags",
        "{\"kind\":\"a\",\"idempotencyKey\":\"\"}|/idempotencyKey",
      })
  void aFieldThatCannotBeUsedIs422AndNamed(String body, String pointer)
      throws IOException, InterruptedException {
    JsonNode problem = problem(live.post("/v1/jobs", body), 422, "invalid-fields");
    assertThat(problem.get("errors").get(0).get("pointer").asString()).startsWith(pointer);
    assertThat(problem.get("errors").get(0).has("index")).isFalse();
  }

  @Test
  void aPayloadOverItsLimitIs422() throws IOException, InterruptedException {
    String body = "{\"kind\":\"a\",\"payload\":\"" + "x".repeat(256 * 1024) + "\"}";
    JsonNode problem = problem(live.post("/v1/jobs", body), 422, "invalid-fields");
    assertThat(problem.get("errors").get(0).get("pointer").asString()).isEqualTo("/payload");
  }

  @Test
  void anEmptyBatchIs400() throws IOException, InterruptedException {
    problem(live.post("/v1/jobs/batch", "{\"jobs\":[]}"), 400, "batch-size");
  }

  @Test
  void anotherContentTypeIs415() throws IOException, InterruptedException {
    for (String type : new String[] {"text/plain", "application/json; charset=latin1", "x"}) {
      HttpResponse<String> response =
          live.send(
              HttpRequest.newBuilder(live.uri("/v1/jobs"))
                  .header("Content-Type", type)
                  .POST(BodyPublishers.ofString("{\"kind\":\"a\"}")));
      problem(response, 415, "unsupported-media-type");
    }
    problem(
        RawHttp.send(live.uri("/"), "POST /v1/jobs HTTP/1.1\n" + HOST + "Content-Length: 2\n\n{}"),
        415,
        "unsupported-media-type");
  }

  @Test
  void aCompressedBodyIs415() throws IOException, InterruptedException {
    problem(
        live.post("/v1/jobs", "{\"kind\":\"a\"}", "Content-Encoding", "gzip"),
        415,
        "unsupported-encoding");
  }

  @Test
  void aBodyOverTheLimitIs413BeforeItIsSent() throws IOException {
    problem(
        RawHttp.send(live.uri("/"), JSON_HEAD + "Content-Length: 16777217\n\n"),
        413,
        "body-too-large");
    problem(
        RawHttp.send(live.uri("/"), JSON_HEAD + "Content-Length: 9999999999999\n\n"),
        413,
        "body-too-large");
  }

  @Test
  void aChunkedBodyOverTheLimitIs413() throws IOException {
    byte[] chunk = ("100000\r\n" + " ".repeat(0x100000) + "\r\n").getBytes(StandardCharsets.UTF_8);
    byte[] body = new byte[17 * chunk.length];
    for (int i = 0; i < 17; i++) {
      System.arraycopy(chunk, 0, body, i * chunk.length, chunk.length);
    }
    problem(
        RawHttp.send(live.uri("/"), JSON_HEAD + "Transfer-Encoding: chunked\n\n", body),
        413,
        "body-too-large");
  }

  @Test
  void anUnknownJobIs404() throws IOException, InterruptedException {
    problem(live.get("/v1/jobs/" + UNKNOWN_ID), 404, "job-not-found");
    problem(live.get("/v1/jobs/1"), 404, "job-not-found");
    problem(live.post("/v1/dead-letters/" + UNKNOWN_ID + "/redrive"), 404, "job-not-found");
    problem(live.post("/v1/dead-letters/x/redrive"), 404, "job-not-found");
  }

  @Test
  void anUnknownPathIs404() throws IOException, InterruptedException {
    problem(live.get("/"), 404, "not-found");
    problem(live.get("/v2/jobs"), 404, "not-found");
    problem(live.get("/v1/jobs/" + UNKNOWN_ID + "/x"), 404, "not-found");
  }

  @Test
  void anotherVerbIs405() throws IOException, InterruptedException {
    HttpResponse<String> response =
        live.send(HttpRequest.newBuilder(live.uri("/v1/jobs")).DELETE());
    problem(response, 405, "method-not-allowed");
    assertThat(response.headers().firstValue("Allow")).contains("GET, POST");
    problem(live.post("/v1/queues"), 405, "method-not-allowed");
    for (String verb : new String[] {"BREW", "TRACE", "CONNECT", "get"}) {
      RawHttp.Answer answer =
          RawHttp.send(live.uri("/"), verb + " /v1/queues HTTP/1.1\n" + HOST + "\n");
      assertThat(answer.status()).as(verb).isIn(400, 405);
      assertThat(answer.text()).contains("application/problem+json");
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/v1/dead-letters?limit=0",
        "/v1/dead-letters?limit=501",
        "/v1/dead-letters?limit=x",
        "/v1/dead-letters?limit=1&limit=2",
        "/v1/dead-letters?limt=1",
        "/v1/dead-letters?cursor=not-ours",
        "/v1/queues?x=1",
        "/health/ready?x",
      })
  void aParameterThatCannotBeUsedIs400(String path) throws IOException, InterruptedException {
    problem(live.get(path), 400, "invalid-parameter");
  }

  @Test
  void aRedriveTakesNoBody() throws IOException, InterruptedException {
    problem(live.post("/v1/dead-letters/" + UNKNOWN_ID + "/redrive", "{}"), 400, "unexpected-body");
  }

  @Test
  void anotherHostIs421() throws IOException {
    for (String host : new String[] {"evil.example", "127.0.0.1.evil.example", "[::2]:80"}) {
      problem(
          RawHttp.send(
              live.uri("/"), "GET /v1/queues HTTP/1.1\nHost: " + host + "\nConnection: close\n\n"),
          421,
          "wrong-host");
    }
    // The target of the request line has to agree with the Host.
    problem(
        RawHttp.send(live.uri("/"), "GET http://evil.example/v1/queues HTTP/1.1\n" + HOST + "\n"),
        400,
        "bad-request");
    for (String host : new String[] {"127.0.0.1", "localhost:80", "LOCALHOST", "[::1]:1"}) {
      assertThat(
              RawHttp.send(
                      live.uri("/"),
                      "GET /v1/queues HTTP/1.1\nHost: " + host + "\nConnection: close\n\n")
                  .status())
          .as(host)
          .isEqualTo(200);
    }
  }

  @Test
  void aPostFromAnotherSiteIs403() throws IOException {
    String head = "POST /v1/dead-letters/" + UNKNOWN_ID + "/redrive HTTP/1.1\n" + HOST;
    problem(
        RawHttp.send(live.uri("/"), head + "Origin: http://evil.example\nContent-Length: 0\n\n"),
        403,
        "cross-site");
    problem(
        RawHttp.send(live.uri("/"), head + "Origin: http://127.0.0.1\nContent-Length: 0\n\n"),
        404,
        "job-not-found");
  }

  @Test
  void aLongUriIs414AndManyHeadersAre431() throws IOException {
    problem(
        RawHttp.send(live.uri("/"), "GET /" + "a".repeat(20_000) + " HTTP/1.1\n" + HOST + "\n"),
        414,
        "uri-too-long");
    problem(
        RawHttp.send(
            live.uri("/"), "GET /v1/queues HTTP/1.1\n" + HOST + "X: y\n".repeat(5_000) + "\n"),
        431,
        "headers-too-large");
  }

  @Test
  void whatIsNotHttpIs400() throws IOException {
    problem(RawHttp.send(live.uri("/"), "nonsense\n\n"), 400, "bad-request");
    problem(RawHttp.send(live.uri("/"), "GET /v1/queues HTTP/1.1\n\n"), 400, "bad-request");
    problem(
        RawHttp.send(live.uri("/"), "GET /v1/%00/../queues HTTP/1.1\n" + HOST + "\n"),
        400,
        "bad-request");
  }

  @Test
  void twoIdempotencyKeysAre400() throws IOException {
    problem(
        RawHttp.send(
            live.uri("/"),
            JSON_HEAD
                + "Idempotency-Key: a\nIdempotency-Key: a\nContent-Length: 12\n\n{\"kind\":\"a\"}"),
        400,
        "invalid-header");
  }

  private static JsonNode problem(HttpResponse<String> response, int status, String slug) {
    assertThat(response.statusCode()).isEqualTo(status);
    assertThat(response.headers().firstValue("Content-Type")).contains("application/problem+json");
    return problem(json(response), status, slug);
  }

  private static void problem(RawHttp.Answer answer, int status, String slug) {
    assertThat(answer.status()).isEqualTo(status);
    assertThat(answer.text()).contains("Content-Type: application/problem+json");
    problem(json(answer.body()), status, slug);
  }

  private static JsonNode problem(JsonNode problem, int status, String slug) {
    assertThat(problem.get("type").asString()).isEqualTo("/problems/" + slug);
    assertThat(problem.get("status").asInt()).isEqualTo(status);
    assertThat(problem.get("title").asString()).isNotEmpty();
    assertThat(problem.get("detail").asString()).isNotEmpty().doesNotContain("\tat ");
    return problem;
  }
}
