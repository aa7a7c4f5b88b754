package dev.millpond.server.http;

import static dev.millpond.server.support.LiveServer.json;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millpond.api.FatalJobException;
import dev.millpond.engine.Millpond;
import dev.millpond.server.config.ConfigKey;
import dev.millpond.server.support.LiveServer;
import java.io.IOException;
import java.net.URLEncoder;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/** Lists by HTTP: jobs, logs and dead letters, their filters and what is refused. */
@TestInstance(Lifecycle.PER_CLASS)
class JobListApiIT {
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private LiveServer live;
  private Millpond worker;
  private String done;
  private String dead;
  private String delayed;

  @BeforeAll
  void start(@TempDir Path directory) throws IOException, InterruptedException {
    live = LiveServer.start(directory, Map.of(ConfigKey.ROLE, "api,maintenance"));
    worker = Millpond.connect(live.engine());
    worker
        .registerHandler(
            "echo",
            JsonNode.class,
            (context, payload) -> {
              context.log("first");
              context.log("second");
              return payload;
            })
        .registerHandler(
            "fatal",
            JsonNode.class,
            (context, payload) -> {
              throw new FatalJobException("Cannot reach <host> 17");
            });
    worker.startWorker();
    done = submit("{\"kind\":\"echo\",\"queue\":\"lists\",\"payload\":{\"size\":12}}");
    dead = submit("{\"kind\":\"fatal\",\"queue\":\"lists\",\"tags\":[\"red\"]}");
    delayed = submit("{\"kind\":\"echo\",\"queue\":\"lists\",\"delay\":\"PT1H\"}");
    await()
        .atMost(PATIENCE)
        .until(() ->
            ids("state=succeeded&queue=lists").equals(List.of(done))
                && ids("state=dead&queue=lists").equals(List.of(dead)));
  }

  @AfterAll
  void stop() {
    worker.close();
    live.close();
  }

  private String submit(String job) throws IOException, InterruptedException {
    return json(live.post("/v1/jobs", job)).get("id").asString();
  }

  private JsonNode page(String path) throws IOException, InterruptedException {
    HttpResponse<String> response = live.get(path);
    assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
    JsonNode page = json(response);
    assertThat(page.get("partial").asBoolean()).isFalse();
    return page;
  }

  private List<String> ids(String query) throws IOException, InterruptedException {
    List<String> ids = new ArrayList<>();
    page("/v1/jobs?" + query).get("items").forEach(job -> ids.add(job.get("id").asString()));
    return ids;
  }

  private static String encoded(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8);
  }

  @Test
  void jobsAreListedNewestFirst() throws IOException, InterruptedException {
    assertThat(ids("queue=lists")).containsExactlyInAnyOrder(delayed, dead, done);
    assertThat(ids("queue=lists&state=scheduled")).containsExactly(delayed);
    assertThat(ids("queue=lists&state=scheduled,dead")).containsExactlyInAnyOrder(delayed, dead);
    assertThat(ids("tag=red")).containsExactly(dead);
    assertThat(ids("error=cannot+REACH")).containsExactly(dead);
    assertThat(ids("payload=" + encoded("$.size > 5"))).containsExactly(done);
    assertThat(ids("until=2020-01-01T00:00:00Z")).isEmpty();
  }

  @Test
  void anItemIsTheJobInShort() throws IOException, InterruptedException {
    JsonNode job = page("/v1/jobs?queue=lists&state=dead").get("items").get(0);
    assertThat(job.get("state").asString()).isEqualTo("dead");
    assertThat(job.get("kind").asString()).isEqualTo("fatal");
    assertThat(job.get("tags").get(0).asString()).isEqualTo("red");
    assertThat(job.get("error").get("message").asString()).isEqualTo("Cannot reach <host> 17");
    assertThat(job.get("error").has("stack")).isFalse();
    for (String absent : List.of("payload", "result", "attempts")) {
      assertThat(job.has(absent)).as(absent).isFalse();
    }
  }

  @Test
  void allFieldsAreThoseOfTheJob() throws IOException, InterruptedException {
    for (JsonNode job :
        page("/v1/jobs?queue=lists&state=dead,succeeded&fields=full").get("items")) {
      ObjectNode whole = (ObjectNode) json(live.get("/v1/jobs/" + job.get("id").asString()));
      whole.remove(List.of("holder", "nextStep"));
      assertThat(job).isEqualTo(whole);
      assertThat(job.has("payload")).isTrue();
    }
  }

  @Test
  void aWalkGoesByTheCursor() throws IOException, InterruptedException {
    List<String> met = new ArrayList<>();
    String cursor = "";
    do {
      JsonNode page = page("/v1/jobs?queue=lists&limit=1" + cursor);
      page.get("items").forEach(job -> met.add(job.get("id").asString()));
      cursor = page.has("nextCursor") ? "&cursor=" + page.get("nextCursor").asString() : "";
    } while (!cursor.isEmpty());
    assertThat(met).containsExactlyInAnyOrder(done, dead, delayed);
  }

  @Test
  void theLogIsReadInPages() throws IOException, InterruptedException {
    JsonNode first = page("/v1/jobs/" + done + "/log?limit=1");
    assertThat(first.get("items").get(0).get("text").asString()).isEqualTo("first");
    assertThat(first.get("items").get(0).get("leaseToken").asInt()).isEqualTo(1);
    assertThat(first.get("items").get(0).get("at").asString()).endsWith("Z");
    JsonNode second = page("/v1/jobs/" + done + "/log?after=" + first.get("nextCursor").asString());
    assertThat(second.get("items").get(0).get("text").asString()).isEqualTo("second");
    assertThat(second.has("nextCursor")).isFalse();
    assertThat(page("/v1/jobs/" + delayed + "/log").get("items").size()).isZero();
    assertThat(live.get("/v1/jobs/1/log").statusCode()).isEqualTo(404);
  }

  @Test
  void deadLettersAreFilteredAndCounted() throws IOException, InterruptedException {
    for (String filter :
        List.of("queue=lists", "tag=red", "error=REACH", "since=2020-01-01T00:00:00Z")) {
      JsonNode items = page("/v1/dead-letters?" + filter).get("items");
      assertThat(items.size()).as(filter).isEqualTo(1);
      assertThat(items.get(0).get("jobId").asString()).isEqualTo(dead);
      JsonNode count = json(live.get("/v1/dead-letters/count?" + filter));
      assertThat(count.get("count").asLong()).isEqualTo(1);
      assertThat(count.get("exact").asBoolean()).isTrue();
    }
    assertThat(json(live.get("/v1/dead-letters/count?tag=blue")).get("count").asLong()).isZero();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/v1/jobs?limit=0",
        "/v1/jobs?limit=501",
        "/v1/jobs?limit=1e3",
        "/v1/jobs?queue=A",
        "/v1/jobs?queue=a&queue=b",
        "/v1/jobs?queu=a",
        "/v1/jobs?kind=",
        "/v1/jobs?state=ended",
        "/v1/jobs?tag=a%20b",
        "/v1/jobs?since=now",
        "/v1/jobs?since=2026-11-22T00:00:00Z&until=2026-11-21T00:00:00Z",
        "/v1/jobs?error=%00",
        "/v1/jobs?payload=",
        "/v1/jobs?cursor=",
        "/v1/jobs?cursor=abc",
        "/v1/jobs?fields=payload",
        "/v1/jobs?sort=kind",
        "/v1/dead-letters?state=dead",
        "/v1/dead-letters?tag=%2F",
        "/v1/dead-letters?until=infinity",
        "/v1/dead-letters/count?limit=1",
        "/v1/jobs/00000000-0000-7000-8000-000000000000/log?after=x",
        "/v1/jobs/00000000-0000-7000-8000-000000000000/log?cursor=x",
      })
  void aParameterThatCannotBeUsedIs400(String path) throws IOException, InterruptedException {
    HttpResponse<String> response = live.get(path);
    assertThat(response.statusCode()).as(response.body()).isEqualTo(400);
    JsonNode problem = json(response);
    assertThat(problem.get("type").asString()).isEqualTo("/problems/invalid-parameter");
    assertThat(path).contains(problem.get("parameter").asString() + "=");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {"$.a >|5", "$.a == }|7", "$.a }|4", "$.a ? (@ == $|13"})
  void aPathThatIsNoneIs422WithItsPlace(String path, int position)
      throws IOException, InterruptedException {
    HttpResponse<String> response = live.get("/v1/jobs?payload=" + encoded(path));
    assertThat(response.statusCode()).as(response.body()).isEqualTo(422);
    JsonNode problem = json(response);
    assertThat(problem.get("type").asString()).isEqualTo("/problems/invalid-path");
    assertThat(problem.get("position").asInt()).as(response.body()).isEqualTo(position);
    assertThat(problem.get("remedy").asString()).isNotEmpty();
  }
}
